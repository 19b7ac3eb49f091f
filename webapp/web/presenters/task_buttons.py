"""Actions: the buttons that a task has in each state, and where they stand. One is there where it works, nowhere else.

Whoever presses twice, because they are impatient or their finger slipped, must not do by the second press what they did
not mean. So what starts a task again after its end stands below its card, never where *Cancel* stood, and has an id of
its own, so that it never gets the focus that *Cancel* had. What loses its place while it has the focus keeps that: its
button stays as long as the focus does, and does nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from flask import url_for

from tasks.catalogue import CATALOGUE
from webapp.models import State, Task

Request = Literal["cancel", "pause", "resume", "retry"]


class Place(StrEnum):
    """Where an action stands; the last part of its id. Pausing and going on take turns in one place."""

    PAUSE = "pause"
    CANCEL = "cancel"
    RETRY = "retry"


HEAD = (Place.PAUSE, Place.CANCEL)  # beside the title; what is left stands below


@dataclass(frozen=True)
class Action:
    """One button, with what its owner asks for by it; None for what has been asked for and is under way.

    `is_over` if there is nothing to ask for in its place any more.
    """

    place: Place
    label: str
    request: Request | None = None
    is_over: bool = False


_PAUSE = Action(Place.PAUSE, "Pause", "pause")
_CANCEL = Action(Place.CANCEL, "Cancel", "cancel")
_RETRY = Action(Place.RETRY, "Retry", "retry")
_NOW = Action(Place.PAUSE, "Start now", "retry")
ACTIONS: dict[State, tuple[Action, ...]] = {
    State.SCHEDULED: (_NOW, _CANCEL),
    State.WAITING: (_CANCEL,),
    State.PENDING: (_PAUSE, _CANCEL),
    State.IN_PROGRESS: (_PAUSE, _CANCEL),
    State.RETRYING: (Action(Place.PAUSE, "Retry now", "retry"), _CANCEL),
    State.PAUSING: (Action(Place.PAUSE, "Pausing"), _CANCEL),
    State.PAUSED: (Action(Place.PAUSE, "Resume", "resume"), _CANCEL),
    State.CANCELING: (Action(Place.CANCEL, "Canceling"),),
    State.CANCELED: (_RETRY,),
    State.FAILED: (_RETRY,),
    State.SUCCEEDED: (),
}
_NEVER_BEGUN = Action(Place.RETRY, "Start now", "retry")  # and so nothing is tried again
# What a mail says instead: a press reaches everybody, or everybody else.
_OF_MAILS = {_NOW: "Send now", _NEVER_BEGUN: "Send now", _RETRY: "Send the rest"}


def head_of(task: Task) -> list[Action]:
    """What stands beside a task's title: an action, or what is over, in each place."""
    return [_at(task, place) for place in HEAD]


def retry_of(task: Task) -> Action:
    """What starts a task again after its end, below its card."""
    return _at(task, Place.RETRY)


def form_to_schedule_again(task: Task) -> tuple[str, bool]:
    """The way to the form of what was canceled before its time, filled in with that time, too; empty if there is none.

    And whether it is a POST, as that of a mail, which begins a draft.
    """
    if task.state != State.CANCELED or task.run_at is None:
        return "", False
    if task.name == "send_mail":
        return url_for("mail.copy", mailing_id=task.arguments["mailing"], at="same time"), True
    function = CATALOGUE.get(task.name)
    return (url_for("tasks.new", name=task.name, like=task.id) if function and function.listed else ""), False


def _at(task: Task, place: Place) -> Action:
    found = next((action for action in ACTIONS[task.state] if action.place == place), None)
    if found is None or (found.request and not task.can(found.request)):
        return Action(place, task.state.words.capitalize(), is_over=True)
    if found is _RETRY and task.state == State.CANCELED and task.started_at is None:
        found = _NEVER_BEGUN
    is_mail = task.name == "send_mail" and task.state != State.FAILED
    return Action(place, _OF_MAILS[found], found.request) if is_mail and found in _OF_MAILS else found
