"""What a press did to a task, or why it did nothing, in the sentences that its person reads once."""

from webapp.models import State, Task

STARTED_ALREADY = "That form was sent already. This is what it started."

# What a task has become by what its owner asked for, as a sentence about its title.
_BECAME = {
    State.PENDING: "“{}” is waiting for a worker.",
    State.WAITING: "“{}” is waiting for earlier steps.",
    State.IN_PROGRESS: "“{}” is running.",
    State.PAUSING: "“{}” pauses at its next step.",
    State.PAUSED: "Paused “{}”.",
    State.CANCELING: "“{}” stops at its next step.",
    State.CANCELED: "Canceled “{}”.",
}
# Why what was asked for came too late, or too early.
_IS = {
    State.SCHEDULED: "“{}” is scheduled, and hasn’t started yet.",
    State.WAITING: "“{}” is waiting for earlier steps.",
    State.PENDING: "“{}” is already waiting for a worker.",
    State.IN_PROGRESS: "“{}” is running.",
    State.RETRYING: "“{}” is about to be tried again.",
    State.PAUSING: "“{}” is already pausing.",
    State.PAUSED: "“{}” is paused.",
    State.CANCELING: "“{}” is already stopping.",
    State.CANCELED: "“{}” was already canceled.",
    State.SUCCEEDED: "“{}” has already finished.",
    State.FAILED: "“{}” has already failed.",
}


def started_words(task: Task) -> str:
    """What starting it has done, like 'Started “Count down from 25”.'"""
    return f"{'Scheduled' if task.state == State.SCHEDULED else 'Started'} “{task.title}”."


def changed_words(task: Task) -> str:
    """What saving its changes has done: it is scheduled as it was, or has been started by that."""
    return f"Saved your changes to “{task.title}”." if task.state == State.SCHEDULED else started_words(task)


def asked_words(task: Task) -> str:
    """What its owner's asking has made of it, like 'Paused “Count down from 25”.'"""
    return _BECAME.get(task.state, _IS[task.state]).format(task.title)


def refused_words(task: Task) -> str:
    """Why nothing was done to it, like 'Nothing changed: “Count down from 25” has already finished.'"""
    return f"Nothing changed: {_IS[task.state].format(task.title)}"


def deleted_words(task: Task) -> str:
    """That it is gone."""
    return f"Deleted “{task.title}”."
