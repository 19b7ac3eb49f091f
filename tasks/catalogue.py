"""The list of task functions. A new kind of task is its file and one line here."""

from tasks.count_words import count_words
from tasks.countdown import countdown
from tasks.engine import TaskFunction, catalogue
from tasks.export_posts import export_posts
from tasks.import_posts import import_posts
from tasks.mail_messages import mail_messages
from tasks.mail_task_outcome import mail_task_outcome
from tasks.resize_images import resize_images
from tasks.send_mail import send_mail

CATALOGUE: dict[str, TaskFunction] = catalogue(
    export_posts,
    import_posts,
    resize_images,
    count_words,
    countdown,
    send_mail,
    mail_messages,
    mail_task_outcome,
)
