"""What a press for many tasks did, in words."""

from collections import Counter

from tasks.engine.models.bulk import BulkResult
from webapp.lib.i18n import ngettext, number
from webapp.models import State
from webapp.web.presenters.action_words import ACTION_WORDS, Counted

_GONE = ("%(num)s was already gone", "%(num)s were already gone")
_TWIN = (
    "%(num)s can’t run while another task like it is running",
    "%(num)s can’t run while another task like them is running",
)


def bulk_result_message(verb: str, result: BulkResult) -> str:
    """Like 'Canceled 12 tasks; 3 had already finished.'"""
    action = ACTION_WORDS[verb]
    words = ngettext(*action.done, result.done) if result.done else action.nothing_done
    if result.stopping:
        some = f" {number(result.stopping)} of them" if result.done > result.stopping else ""
        words += f",{some} after the current step"
    reasons: Counter[Counted] = Counter()
    for state, passed in result.passed.items():
        reasons[_why(verb, state)] += passed
    reasons[_TWIN] += result.duplicates
    why = [ngettext(*reason, passed) for reason, passed in reasons.items() if passed]
    words = "; ".join([words, ", ".join(why)]) if why else words
    left = f" {number(result.left)} more to go: press again to continue." if result.left else ""
    if result.refused:
        left = f" {ngettext('%(num)s is left', '%(num)s are left', result.left)}. {result.refused.words()}"
    return f"{words}.{left}"


def _why(verb: str, state: State | None) -> Counted:
    return _GONE if state is None else next(words for states, words in ACTION_WORDS[verb].why if state in states)
