"""The words of owner actions: one row for each of OWNER_ACTIONS, of which URLs, buttons and messages are made."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.state import ACTIVE, FINISHED
from webapp.lib.complete import complete
from webapp.models import State

Counted = tuple[str, str]  # for one, and for several

_FINISHED = ("%(num)s had already finished", "%(num)s had already finished")
_CANCELING = ("%(num)s was already being canceled", "%(num)s were already being canceled")
_ACTIVE = ("%(num)s hasn’t finished yet", "%(num)s haven’t finished yet")
_PAUSED = ("%(num)s was already paused", "%(num)s were already paused")
_NEVER_RAN = (
    "%(num)s was canceled before it ran (start it with its own button)",
    "%(num)s were canceled before they ran (start them one by one)",
)
_LOST_SECRETS = (
    "%(num)s needs its secret again (open it and run it again)",
    "%(num)s need their secrets again (open each and run it again)",
)
_STOPPING = "202 while its run has not come to its next step, at which it stops."
_TO_CANCEL = OWNER_ACTIONS["cancel"].targets
_TO_PAUSE = OWNER_ACTIONS["pause"].targets


@dataclass(frozen=True, kw_only=True)
class ActionWords:
    """What pages say of one action.

    `noun` ends its URL: `POST /tasks/<id>/<noun>`. The `explanation` is for who writes programs. `label` is on its
    button, for one task or for those that are selected; `selected` is what a screen reader hears after it then. A press
    for many tasks says how many it has `done`, or `nothing_done`, and `why` it passed over tasks in which states: the
    first that has a task's state.
    """

    noun: str
    explanation: str
    label: str
    selected: str
    done: Counted
    nothing_done: str
    why: tuple[tuple[frozenset[State], Counted], ...]


ACTION_WORDS: Mapping[str, ActionWords] = complete(
    "ACTION_WORDS",
    OWNER_ACTIONS,
    {
        "retry": ActionWords(
            noun="retry",
            explanation="Try a task again, or start now what is scheduled for later.\nIt goes on where it stopped. "
            "A second retry is another one, if the first has ended by then: send an `Idempotency-Key`, or `If-Match` "
            "with the ETag of the task that is to be retried.",
            label="Retry",
            selected=" selected tasks",
            done=("Retried %(num)s task", "Retried %(num)s tasks"),
            nothing_done="No tasks retried",
            why=(
                (frozenset({State.CANCELED}), _NEVER_RAN),
                (frozenset({State.FAILED}), _LOST_SECRETS),
                (FINISHED, _FINISHED),
                (ACTIVE, _ACTIVE),
            ),
        ),
        "pause": ActionWords(
            noun="pause",
            explanation=f"Pause a task.\n{_STOPPING} Twice is once. Workflows can’t be paused.",
            label="Pause",
            selected=" selected tasks",
            done=("Paused %(num)s task", "Paused %(num)s tasks"),
            nothing_done="No tasks paused",
            why=(
                (FINISHED, _FINISHED),
                (_TO_PAUSE, _PAUSED),
                (_TO_CANCEL, _CANCELING),
                (ACTIVE, ("%(num)s can’t be paused right now", "%(num)s can’t be paused right now")),
            ),
        ),
        "resume": ActionWords(
            noun="resumption",
            explanation="Resume a paused task.\nIt goes on where it stopped, once a worker is free. "
            "Twice is once, until it has finished.",
            label="Resume",
            selected=" selected tasks",
            done=("Resumed %(num)s task", "Resumed %(num)s tasks"),
            nothing_done="No tasks resumed",
            why=((frozenset(State), ("%(num)s wasn’t paused", "%(num)s weren’t paused")),),
        ),
        "cancel": ActionWords(
            noun="cancellation",
            explanation=f"Cancel a task.\nWith all its children. {_STOPPING} Twice is once.",
            label="Cancel",
            selected=" selected tasks",
            done=("Canceled %(num)s task", "Canceled %(num)s tasks"),
            nothing_done="No tasks canceled",
            why=((FINISHED, _FINISHED), (ACTIVE, _CANCELING)),
        ),
        "dismiss": ActionWords(
            noun="dismissal",
            explanation="Close the alert of a finished task.\nOn all pages of its owner, and for good. Twice is once.",
            label="Close alerts",
            selected=" of selected tasks",
            done=("Closed %(num)s alert", "Closed %(num)s alerts"),
            nothing_done="No alerts closed",
            why=((FINISHED, ("%(num)s was already closed", "%(num)s were already closed")), (ACTIVE, _ACTIVE)),
        ),
        "remove": ActionWords(
            noun="deletion",
            explanation="Delete a finished task, with all that it made.\nA child goes with its workflow.",
            label="Delete",
            selected=" selected tasks",
            done=("Deleted %(num)s task", "Deleted %(num)s tasks"),
            nothing_done="No tasks deleted",
            why=((FINISHED, ("%(num)s couldn’t be deleted", "%(num)s couldn’t be deleted")), (ACTIVE, _ACTIVE)),
        ),
    },
)
# The one that nothing takes back: pages ask twice, apart from the others.
FINAL_ACTION = "remove"


def bulk_actions() -> dict[str, ActionWords]:
    """What pages offer for many tasks at once, in order; FINAL_ACTION apart."""
    return {name: ACTION_WORDS[name] for name in OWNER_ACTIONS if name != FINAL_ACTION}


def operator_actions() -> list[tuple[str, str, bool]]:
    """What the desk offers for other people's tasks, in order: the name, the label, and whether nothing undoes it."""
    offered = [name for name, action in OWNER_ACTIONS.items() if action.by_operators]
    return [(name, ACTION_WORDS[name].label, name == FINAL_ACTION) for name in offered]
