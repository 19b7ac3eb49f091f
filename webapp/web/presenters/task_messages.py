"""What a press did to a task, or why it did nothing, in the sentences that its person reads once."""

from webapp.models import State
from webapp.models.task.row import TaskRow

STARTED_ALREADY = "You already sent that form. Here’s the task it started."

# What a task has become by what its owner asked for, as a sentence about its title.
_BECAME = {
    State.PENDING: "“{}” is waiting for a worker.",
    State.WAITING: "“{}” is waiting for earlier steps.",
    State.IN_PROGRESS: "“{}” is running.",
    State.PAUSING: "Pausing “{}” after its current step.",
    State.PAUSED: "Paused “{}”.",
    State.CANCELING: "Canceling “{}” after its current step.",
    State.CANCELED: "Canceled “{}”.",
}
# Why what was asked for came too late, or too early.
_IS = {
    State.SCHEDULED: "“{}” is scheduled and hasn’t started yet.",
    State.WAITING: "“{}” is waiting for earlier steps.",
    State.PENDING: "“{}” is already waiting for a worker.",
    State.IN_PROGRESS: "“{}” is running.",
    State.RETRYING: "“{}” is waiting for its next attempt.",
    State.PAUSING: "“{}” is already pausing.",
    State.PAUSED: "“{}” is paused.",
    State.CANCELING: "“{}” is already being canceled.",
    State.CANCELED: "“{}” was already canceled.",
    State.SUCCEEDED: "“{}” has already finished.",
    State.FAILED: "“{}” has already failed.",
}


def started_message(task: TaskRow) -> str:
    """What starting it has done, like 'Started “Count down from 25”.'"""
    return f"{'Scheduled' if task.state == State.SCHEDULED else 'Started'} “{task.title}”."


def changed_message(task: TaskRow) -> str:
    """What saving its changes has done: it is scheduled as it was, or has been started by that."""
    return f"Saved your changes to “{task.title}”." if task.state == State.SCHEDULED else started_message(task)


def asked_message(task: TaskRow) -> str:
    """What its owner's asking has made of it, like 'Paused “Count down from 25”.'"""
    return _BECAME.get(task.state, _IS[task.state]).format(task.title)


def refused_message(task: TaskRow) -> str:
    """Why nothing was done to it, like 'Nothing changed: “Count down from 25” has already finished.'"""
    return f"Nothing changed: {_IS[task.state].format(task.title)}"


def secrets_gone_message(task: TaskRow) -> str:
    """Why it cannot be retried as it was, and what to do."""
    return f"The secret of “{task.title}” was deleted when it ended. Enter it again to start the task anew."


def deleted_message(task: TaskRow) -> str:
    """That it is gone."""
    return f"Deleted “{task.title}”."
