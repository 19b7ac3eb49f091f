"""The words of states: one row for each state, of which everything that pages say of it is made.

How it stands in full, with numbers and times, is in its partial: `templates/tasks/status/_<state>.html`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webapp.lib.complete import complete
from webapp.models import State
from webapp.web.presenters.action_words import ACTION_WORDS


class Tone(StrEnum):
    """What a state is like: a stylesheet knows these by `data-tone`, and no state."""

    QUIET = "quiet"  # nothing happens
    ACTIVE = "active"  # it gets on
    CAUTION = "caution"  # it has been stopped, or is about to be, and may go on
    GOOD = "good"
    BAD = "bad"


class Slot(StrEnum):
    """Where a button is; also the last part of its id. Pausing and resuming share a slot."""

    PAUSE = "pause"
    CANCEL = "cancel"
    RETRY = "retry"


@dataclass(frozen=True)
class TaskButton:
    """One button and the action that it asks for; empty if that has been asked for and is under way.

    A placeholder fills a slot that has nothing to ask for any more.
    """

    slot: Slot
    label: str
    action: str = ""
    is_placeholder: bool = False


@dataclass(frozen=True, kw_only=True)
class StateWords:
    """What pages say of a task in one state. `{}` is its title.

    A screen reader hears the `announcement`, if any, as the task comes into the state, but not between states that have
    the same. `became` is what an owner action made of it; `refusal` is why one came too late, or too early.
    `settles_soon`: it will most likely be in another state within a second or two, so pages look again.
    """

    tone: Tone
    settles_soon: bool
    announcement: str
    became: str
    refusal: str
    buttons: tuple[TaskButton, ...]


def _button(slot: Slot, action: str, label: str = "") -> TaskButton:
    return TaskButton(slot, label or ACTION_WORDS[action].label, action)


_PAUSE = _button(Slot.PAUSE, "pause")
_CANCEL = _button(Slot.CANCEL, "cancel")
RETRY = _button(Slot.RETRY, "retry")
START_NOW = _button(Slot.PAUSE, "retry", "Start now")

STATE_WORDS: Mapping[State, StateWords] = complete(
    "STATE_WORDS",
    State,
    {
        State.SCHEDULED: StateWords(
            tone=Tone.QUIET,
            settles_soon=False,
            announcement="{} is scheduled.",
            became="“{}” is scheduled and hasn’t started yet.",
            refusal="“{}” is scheduled and hasn’t started yet.",
            buttons=(START_NOW, _CANCEL),
        ),
        State.WAITING: StateWords(
            tone=Tone.QUIET,
            settles_soon=False,
            announcement="",
            became="“{}” is waiting for earlier steps.",
            refusal="“{}” is waiting for earlier steps.",
            buttons=(_CANCEL,),
        ),
        State.PENDING: StateWords(
            tone=Tone.QUIET,
            settles_soon=True,
            announcement="{} has started.",
            became="“{}” is waiting for a worker.",
            refusal="“{}” is already waiting for a worker.",
            buttons=(_PAUSE, _CANCEL),
        ),
        State.IN_PROGRESS: StateWords(
            tone=Tone.ACTIVE,
            settles_soon=False,
            announcement="{} has started.",
            became="“{}” is running.",
            refusal="“{}” is running.",
            buttons=(_PAUSE, _CANCEL),
        ),
        State.RETRYING: StateWords(
            tone=Tone.CAUTION,
            settles_soon=False,
            announcement="{} is waiting to be tried again.",
            became="“{}” is waiting for its next attempt.",
            refusal="“{}” is waiting for its next attempt.",
            buttons=(_button(Slot.PAUSE, "retry", "Retry now"), _CANCEL),
        ),
        State.PAUSING: StateWords(
            tone=Tone.CAUTION,
            settles_soon=True,
            announcement="Pausing {}.",
            became="Pausing “{}” after its current step.",
            refusal="“{}” is already pausing.",
            buttons=(TaskButton(Slot.PAUSE, "Pausing"), _CANCEL),
        ),
        State.PAUSED: StateWords(
            tone=Tone.CAUTION,
            settles_soon=False,
            announcement="{} is paused.",
            became="Paused “{}”.",
            refusal="“{}” is paused.",
            buttons=(_button(Slot.PAUSE, "resume"), _CANCEL),
        ),
        State.CANCELING: StateWords(
            tone=Tone.CAUTION,
            settles_soon=True,
            announcement="Canceling {}.",
            became="Canceling “{}” after its current step.",
            refusal="“{}” is already being canceled.",
            buttons=(TaskButton(Slot.CANCEL, "Canceling"),),
        ),
        State.CANCELED: StateWords(
            tone=Tone.QUIET,
            settles_soon=False,
            announcement="{} was canceled.",
            became="Canceled “{}”.",
            refusal="“{}” was already canceled.",
            buttons=(RETRY,),
        ),
        State.SUCCEEDED: StateWords(
            tone=Tone.GOOD,
            settles_soon=False,
            announcement="{} finished.",
            became="“{}” has already finished.",
            refusal="“{}” has already finished.",
            buttons=(),
        ),
        State.FAILED: StateWords(
            tone=Tone.BAD,
            settles_soon=False,
            announcement="{} failed.",
            became="“{}” has already failed.",
            refusal="“{}” has already failed.",
            buttons=(RETRY,),
        ),
    },
)


def tone_of(kind: str) -> Tone:
    """The tone of a state, or of a line in the timeline, whose kind may be a state."""
    return STATE_WORDS[State(kind)].tone if kind in set(State) else Tone.QUIET


def first_announced_as(state: State) -> State:
    """The first of the states that are announced as this one is: between these nothing is said again."""
    announcement = STATE_WORDS[state].announcement
    return next(first for first in State if STATE_WORDS[first].announcement == announcement)
