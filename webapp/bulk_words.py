"""What a press for many tasks did, in words."""

from collections import Counter

from webapp.models import State
from webapp.models.bulk import Outcome
from webapp.models.state import FINISHED

_DONE = {
    "cancel": ("Canceled", "task", "tasks"),
    "dismiss": ("Closed", "alert", "alerts"),
    "remove": ("Deleted", "task", "tasks"),
}
_GONE = ("was gone already", "were gone already")
_UNDER_WAY = ("is still under way", "are still under way")
_FINISHED = {
    "cancel": ("had finished already", "had finished already"),
    "dismiss": ("was closed already", "were closed already"),
    "remove": ("could not be deleted", "could not be deleted"),
}


def outcome_words(verb: str, outcome: Outcome) -> str:
    """Like 'Canceled 12 tasks; 3 had finished already.'"""
    did, one, many = _DONE[verb]
    words = f"{did} {outcome.done:,} {one if outcome.done == 1 else many}" if outcome.done else f"{did} no {one}"
    if outcome.stopping:
        some = f" {outcome.stopping:,} of them" if outcome.done > outcome.stopping else ""
        words += f",{some} at {'its' if outcome.stopping == 1 else 'their'} next step"
    reasons: Counter[tuple[str, str]] = Counter()
    for state, number in outcome.passed.items():
        reasons[_why(verb, state)] += number
    why = [f"{number:,} {reason[number > 1]}" for reason, number in reasons.items() if number]
    words = "; ".join([words, ", ".join(why)]) if why else words
    left = f" {outcome.left:,} {'is' if outcome.left == 1 else 'are'} left: press again." if outcome.left else ""
    return f"{words}.{left}"


def _why(verb: str, state: State | None) -> tuple[str, str]:
    if state is None:
        return _GONE
    if state in FINISHED:
        return _FINISHED[verb]
    return ("was stopping already", "were stopping already") if verb == "cancel" else _UNDER_WAY
