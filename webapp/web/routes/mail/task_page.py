"""What the pages of a task that sends an email have of their own, and what the templates of the desk call."""

from flask import url_for

from tasks.send_mail import send_mail
from webapp.mail import words
from webapp.models import Task
from webapp.web.presenters.task_pages import TaskPage, register
from webapp.web.routes.mail.blueprint import bp

bp.add_app_template_global(words.counts_of_task, "mail_counts")
bp.add_app_template_global(words.state_words, "mail_state")


def _copy(task: Task) -> str:
    return url_for("mail.copy", mailing_id=task.arguments["mailing"], at="same time")


register(
    send_mail,
    TaskPage(
        panel="mail/_of_task.html",
        start_label="Send now",
        restart_label="Send the rest",
        schedule_again=_copy,
        tells_amount=False,  # it counts people
    ),
)
