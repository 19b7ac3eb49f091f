"""The list of task functions. A new kind of task is its file and one line here."""

from tasks.countdown import countdown
from tasks.engine import TaskFunction
from tasks.export_posts import export_posts
from tasks.send_mail import send_mail

CATALOGUE: dict[str, TaskFunction] = {
    function.name: function
    for function in (
        export_posts,
        countdown,
        send_mail,
    )
}
