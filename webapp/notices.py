"""Mail about tasks that have ended, for who asked for that. That about messages is `tasks/mail_messages.py`."""

import logging

from flask import Flask

from webapp import mailer
from webapp.models import State, Task, User
from webapp.progress import Progress
from webapp.signals import stopped

log = logging.getLogger(__name__)


def init_app(_: Flask) -> None:
    """Listen for tasks that stop, wherever this app's context is."""
    stopped.connect(mail_owner)


def mail_owner(task: Task) -> None:
    """Mail the outcome, if it is one that its owner does not know: what they canceled they have seen.

    Sent once, after the outcome is on record, by the process that recorded it. If the mail server refuses it or that
    process dies, it is not sent again: the outcome stands on the page.
    """
    if task.state == State.CANCELED or not task.is_shown or not User.email_of(task.user_id):
        return
    user = User.get_by_id(task.user_id)
    kind = "mail" if task.name == "send_mail" and task.state == State.SUCCEEDED else task.state
    took_long = user.mail_after is not None and task.worked >= user.mail_after * 60
    if not (took_long or user.hears_by_mail(kind)):
        return
    words = f"{task.title} {'is finished' if task.state == State.SUCCEEDED else 'has failed'}"
    message_id = f"task-{task.id}-{task.finished_at:%Y%m%d%H%M%S}"
    try:
        mailer.send(
            user.email, words, "stopped", message_id=message_id, user=user, task=task, words=words,
            took=Progress(task).took,
        )  # fmt: skip
    except mailer.MailError as error:
        log.warning("Task %s: its owner could not be mailed that it has stopped: %s", task.id, error)
