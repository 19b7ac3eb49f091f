"""What a press for many tasks did, in words."""

from collections import Counter

from tasks.engine.models.bulk import Outcome
from tasks.engine.models.state import ACTIVE, FINISHED
from webapp.lib.i18n import ngettext, number
from webapp.models import State

Words = tuple[str, str]  # for one, and for several

_DONE: dict[str, Words] = {
    "retry": ("Retried %(num)s task", "Retried %(num)s tasks"),
    "pause": ("Paused %(num)s task", "Paused %(num)s tasks"),
    "resume": ("Resumed %(num)s task", "Resumed %(num)s tasks"),
    "cancel": ("Canceled %(num)s task", "Canceled %(num)s tasks"),
    "dismiss": ("Closed %(num)s alert", "Closed %(num)s alerts"),
    "remove": ("Deleted %(num)s task", "Deleted %(num)s tasks"),
}
_NOTHING_DONE = {
    "retry": "No tasks retried",
    "pause": "No tasks paused",
    "resume": "No tasks resumed",
    "cancel": "No tasks canceled",
    "dismiss": "No alerts closed",
    "remove": "No tasks deleted",
}
_GONE = ("%(num)s was already gone", "%(num)s were already gone")
_TWIN = (
    "%(num)s can’t run while another task like it is running",
    "%(num)s can’t run while another task like them is running",
)
_FINISHED = ("%(num)s had already finished", "%(num)s had already finished")
_CANCELING = ("%(num)s was already being canceled", "%(num)s were already being canceled")
_ACTIVE = ("%(num)s hasn’t finished yet", "%(num)s haven’t finished yet")
_PAUSED = ("%(num)s was already paused", "%(num)s were already paused")
_NEVER_RAN = (
    "%(num)s was canceled before it ran (start it with its own button)",
    "%(num)s were canceled before they ran (start them one by one)",
)
# Why a press passed over tasks in these states; the first that has a task's state says it.
_WHY: dict[str, tuple[tuple[frozenset[State], Words], ...]] = {
    "retry": ((frozenset({State.CANCELED}), _NEVER_RAN), (FINISHED, _FINISHED), (ACTIVE, _ACTIVE)),
    "pause": (
        (FINISHED, _FINISHED),
        (frozenset({State.PAUSED, State.PAUSING}), _PAUSED),
        (frozenset({State.CANCELING}), _CANCELING),
        (ACTIVE, ("%(num)s can’t be paused right now", "%(num)s can’t be paused right now")),
    ),
    "resume": ((frozenset(State), ("%(num)s wasn’t paused", "%(num)s weren’t paused")),),
    "cancel": ((FINISHED, _FINISHED), (ACTIVE, _CANCELING)),
    "dismiss": (
        (FINISHED, ("%(num)s was already closed", "%(num)s were already closed")),
        (ACTIVE, _ACTIVE),
    ),
    "remove": (
        (FINISHED, ("%(num)s couldn’t be deleted", "%(num)s couldn’t be deleted")),
        (ACTIVE, _ACTIVE),
    ),
}


def bulk_result_message(verb: str, outcome: Outcome) -> str:
    """Like 'Canceled 12 tasks; 3 had already finished.'"""
    words = ngettext(*_DONE[verb], outcome.done) if outcome.done else _NOTHING_DONE[verb]
    if outcome.stopping:
        some = f" {number(outcome.stopping)} of them" if outcome.done > outcome.stopping else ""
        words += f",{some} after the current step"
    reasons: Counter[Words] = Counter()
    for state, passed in outcome.passed.items():
        reasons[_why(verb, state)] += passed
    reasons[_TWIN] += outcome.duplicates
    why = [ngettext(*reason, passed) for reason, passed in reasons.items() if passed]
    words = "; ".join([words, ", ".join(why)]) if why else words
    left = f" {number(outcome.left)} more to go: press again to continue." if outcome.left else ""
    return f"{words}.{left}"


def _why(verb: str, state: State | None) -> Words:
    return _GONE if state is None else next(words for states, words in _WHY[verb] if state in states)
