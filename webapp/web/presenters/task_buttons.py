"""Task buttons: the owner actions that a page offers in each state of a task, and the slot of each.

A second press, of somebody impatient, must not do what was not meant. So the button that starts a task again after its
end is below its card, never where *Cancel* was, and has an id of its own, so that it does not take over the focus of
*Cancel*. A button that is not needed any more stays as a placeholder, which does nothing, for as long as it has the
focus.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from flask import url_for

from tasks.catalogue import CATALOGUE
from webapp.models import State, Task

OwnerAction = Literal["cancel", "pause", "resume", "retry"]


class Slot(StrEnum):
    """Where a button is; also the last part of its id. Pausing and resuming share a slot."""

    PAUSE = "pause"
    CANCEL = "cancel"
    RETRY = "retry"


HEADER_SLOTS = (Slot.PAUSE, Slot.CANCEL)  # beside the title; the other is below


@dataclass(frozen=True)
class TaskButton:
    """One button and the action that it asks for; None if that has been asked for and is under way.

    A placeholder fills a slot that has nothing to ask for any more.
    """

    slot: Slot
    label: str
    action: OwnerAction | None = None
    is_placeholder: bool = False


_PAUSE = TaskButton(Slot.PAUSE, "Pause", "pause")
_CANCEL = TaskButton(Slot.CANCEL, "Cancel", "cancel")
_RETRY = TaskButton(Slot.RETRY, "Retry", "retry")
_NOW = TaskButton(Slot.PAUSE, "Start now", "retry")
BUTTONS: dict[State, tuple[TaskButton, ...]] = {
    State.SCHEDULED: (_NOW, _CANCEL),
    State.WAITING: (_CANCEL,),
    State.PENDING: (_PAUSE, _CANCEL),
    State.IN_PROGRESS: (_PAUSE, _CANCEL),
    State.RETRYING: (TaskButton(Slot.PAUSE, "Retry now", "retry"), _CANCEL),
    State.PAUSING: (TaskButton(Slot.PAUSE, "Pausing"), _CANCEL),
    State.PAUSED: (TaskButton(Slot.PAUSE, "Resume", "resume"), _CANCEL),
    State.CANCELING: (TaskButton(Slot.CANCEL, "Canceling"),),
    State.CANCELED: (_RETRY,),
    State.FAILED: (_RETRY,),
    State.SUCCEEDED: (),
}
_START = TaskButton(Slot.RETRY, "Start now", "retry")  # of a task that never ran
# The labels for a task that sends an email: to everybody, or to the rest.
_MAIL_LABELS = {_NOW: "Send now", _START: "Send now", _RETRY: "Send the rest"}


def header_buttons(task: Task) -> list[TaskButton]:
    """The buttons beside the title of a task, one for each slot."""
    return [_button_in(task, slot) for slot in HEADER_SLOTS]


def retry_button(task: Task) -> TaskButton:
    """The button below the card of a task, which starts it again after its end."""
    return _button_in(task, Slot.RETRY)


def schedule_again_form(task: Task) -> tuple[str, bool]:
    """The URL of the form of a task that was canceled while scheduled, filled in with its time; empty if it has none.

    Also whether the URL needs a POST, as that of a mail does, which begins a draft.
    """
    if task.state != State.CANCELED or task.run_at is None:
        return "", False
    if task.name == "send_mail":
        return url_for("mail.copy", mailing_id=task.arguments["mailing"], at="same time"), True
    function = CATALOGUE.get(task.name)
    return (url_for("tasks.new", name=task.name, like=task.id) if function and function.listed else ""), False


def _button_in(task: Task, slot: Slot) -> TaskButton:
    found = next((button for button in BUTTONS[task.state] if button.slot == slot), None)
    if found is None or (found.action and not task.can(found.action)):
        return TaskButton(slot, task.state.words.capitalize(), is_placeholder=True)
    if found is _RETRY and task.state == State.CANCELED and task.started_at is None:
        found = _START
    is_mail = task.name == "send_mail" and task.state != State.FAILED
    return TaskButton(slot, _MAIL_LABELS[found], found.action) if is_mail and found in _MAIL_LABELS else found
