"""What a press for many tasks did, in words."""

from collections import Counter

from webapp.models import State
from webapp.models.task.bulk import Outcome
from webapp.models.task.state import ACTIVE, FINISHED

Words = tuple[str, str]  # for one, and for several

_DONE = {
    "retry": ("Retried", "task", "tasks"),
    "pause": ("Paused", "task", "tasks"),
    "resume": ("Resumed", "task", "tasks"),
    "cancel": ("Canceled", "task", "tasks"),
    "dismiss": ("Closed", "alert", "alerts"),
    "remove": ("Deleted", "task", "tasks"),
}
_GONE = ("was gone already", "were gone already")
_TWIN = ("could not start beside another like it", "could not start beside another like them")
_FINISHED = ("had finished already", "had finished already")
_STOPPING = ("was stopping already", "were stopping already")
_UNDER_WAY = ("is still under way", "are still under way")
# Why a press passed over tasks in these states; the first that has a task's state says it.
_WHY: dict[str, tuple[tuple[frozenset[State], Words], ...]] = {
    "retry": (
        (
            frozenset({State.CANCELED}),
            (
                "was canceled before it ran (start it by its own button)",
                "were canceled before they ran (start them one by one)",
            ),
        ),
        (FINISHED, _FINISHED),
        (ACTIVE, _UNDER_WAY),
    ),
    "pause": (
        (FINISHED, _FINISHED),
        (frozenset({State.PAUSED, State.PAUSING}), ("was paused already", "were paused already")),
        (frozenset({State.CANCELING}), _STOPPING),
        (ACTIVE, ("cannot be paused now", "cannot be paused now")),
    ),
    "resume": ((frozenset(State), ("was not paused", "were not paused")),),
    "cancel": ((FINISHED, _FINISHED), (ACTIVE, _STOPPING)),
    "dismiss": ((FINISHED, ("was closed already", "were closed already")), (ACTIVE, _UNDER_WAY)),
    "remove": ((FINISHED, ("could not be deleted", "could not be deleted")), (ACTIVE, _UNDER_WAY)),
}


def outcome_words(verb: str, outcome: Outcome) -> str:
    """Like 'Canceled 12 tasks; 3 had finished already.'"""
    did, one, many = _DONE[verb]
    words = f"{did} {outcome.done:,} {one if outcome.done == 1 else many}" if outcome.done else f"{did} no {one}"
    if outcome.stopping:
        some = f" {outcome.stopping:,} of them" if outcome.done > outcome.stopping else ""
        words += f",{some} at {'its' if outcome.stopping == 1 else 'their'} next step"
    reasons: Counter[Words] = Counter()
    for state, number in outcome.passed.items():
        reasons[_why(verb, state)] += number
    reasons[_TWIN] += outcome.twins
    why = [f"{number:,} {reason[number > 1]}" for reason, number in reasons.items() if number]
    words = "; ".join([words, ", ".join(why)]) if why else words
    left = f" {outcome.left:,} {'is' if outcome.left == 1 else 'are'} left: press again." if outcome.left else ""
    return f"{words}.{left}"


def _why(verb: str, state: State | None) -> Words:
    return _GONE if state is None else next(words for states, words in _WHY[verb] if state in states)
