"""What a press did to a task, or why it did nothing, in the sentences that its person reads once."""

from tasks.engine.models.row import TaskRow
from webapp.models import State
from webapp.web.presenters.state_words import STATE_WORDS

STARTED_ALREADY = "You already sent that form. Here’s the task it started."


def started_message(task: TaskRow) -> str:
    """What starting it has done, like 'Started “Count down from 25”.'"""
    return f"{'Scheduled' if task.state == State.SCHEDULED else 'Started'} “{task.title_words()}”."


def changed_message(task: TaskRow) -> str:
    """What saving its changes has done: it is scheduled as it was, or has been started by that."""
    return f"Saved your changes to “{task.title_words()}”." if task.state == State.SCHEDULED else started_message(task)


def asked_message(task: TaskRow) -> str:
    """What its owner's asking has made of it, like 'Paused “Count down from 25”.'"""
    return STATE_WORDS[task.state].became.format(task.title_words())


def refused_message(task: TaskRow) -> str:
    """Why nothing was done to it, like 'Nothing changed: “Count down from 25” has already finished.'"""
    return f"Nothing changed: {STATE_WORDS[task.state].refusal.format(task.title_words())}"


def secrets_gone_message(task: TaskRow) -> str:
    """Why it cannot be retried as it was, and what to do."""
    return f"The secret of “{task.title_words()}” was deleted when it ended. Enter it again to start the task anew."


def deleted_message(task: TaskRow) -> str:
    """That it is gone."""
    return f"Deleted “{task.title_words()}”."
