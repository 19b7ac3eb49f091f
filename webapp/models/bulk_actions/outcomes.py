"""Outcomes: what came of a bulk action for one task, and how many of each there were, in words."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from webapp.lib.complete import complete
from webapp.lib.phrases import Argument, Phrase, Wording, phrase
from webapp.models.bulk_actions.action_words import BULK_WORDS


class Outcome(StrEnum):
    """The value stands in files and cursors. All but the first two are reasons for which a task was passed over."""

    DONE = "done"
    STOPPING = "stops at its next step"
    FINISHED = "had finished"
    ALREADY = "was so already"
    ACTIVE = "had not ended"
    CHANGED = "has run again since"
    NEVER_RAN = "never ran"
    NO_SECRETS = "needs its secrets again"
    SUSPENDED = "its owner is suspended"
    OVER_QUOTA = "its owner has reached a limit"
    ANOTHER_RUNS = "another like it is under way"
    UNABLE = "its state does not allow it"
    PART = "part of a workflow"
    BULK = "a bulk action itself"
    BUSY = "busy"
    GONE = "gone"

    @property
    def is_done(self) -> bool:
        """Whether what was asked for was done."""
        return self in (Outcome.DONE, Outcome.STOPPING)


def _said(name: str, one: str, many: str) -> Wording:
    return phrase(f"bulk.passed.{name}", f"{{number}} {one}", plural=f"{{number}} {many}")


# For all that is not done. In the order in which they are said.
_WORDS: Mapping[Outcome, Wording] = complete(
    "_WORDS",
    [outcome for outcome in Outcome if not outcome.is_done],
    {
        Outcome.FINISHED: _said("finished", "had already finished", "had already finished"),
        Outcome.ALREADY: _said("already", "was so already", "were so already"),
        Outcome.ACTIVE: _said("active", "hadn’t ended", "hadn’t ended"),
        Outcome.CHANGED: _said("changed", "has run again since", "have run again since"),
        Outcome.NEVER_RAN: _said("never_ran", "has never run", "have never run"),
        Outcome.NO_SECRETS: _said("no_secrets", "needs its secrets again", "need their secrets again"),
        Outcome.SUSPENDED: _said("suspended", "is of somebody who is suspended", "are of people who are suspended"),
        Outcome.OVER_QUOTA: _said(
            "over_quota", "is of somebody who has reached a limit", "are of people who have reached a limit"
        ),
        Outcome.ANOTHER_RUNS: _said(
            "another_runs", "can’t run while another like it does", "can’t run while others like them do"
        ),
        Outcome.UNABLE: _said("unable", "is in a state that doesn’t allow it", "are in a state that doesn’t allow it"),
        Outcome.PART: _said("part", "is part of a workflow", "are parts of workflows"),
        Outcome.BULK: _said("bulk", "is a bulk action itself", "are bulk actions themselves"),
        Outcome.BUSY: _said("busy", "was busy at that moment", "were busy at that moment"),
        Outcome.GONE: _said("gone", "was gone", "were gone"),
    },
)
STOPPING = phrase("bulk.stopping", "{number} of them after its current step", plural="{number} of them after a step")
NOTHING_PASSED = phrase("bulk.summary", "{done}")
SUMMARY = phrase("bulk.summary_with_passed", "{done}; skipped: {passed}")


def summary(action: str, counts: Mapping[Outcome, int]) -> Phrase:
    """What came of it, like “Retried 12 tasks; skipped: 3 had already finished”."""
    done: list[Argument] = [BULK_WORDS[action].done(number=sum(n for each, n in counts.items() if each.is_done))]
    if stopping := counts.get(Outcome.STOPPING):
        done.append(STOPPING(number=stopping))
    passed: list[Argument] = [*passed_words(counts)]
    return SUMMARY(done=done, passed=passed) if passed else NOTHING_PASSED(done=done)


def passed_words(counts: Mapping[Outcome, int]) -> list[Phrase]:
    """Why tasks were passed over, and how many for each reason, like “3 had already finished”."""
    return [wording(number=counts[outcome]) for outcome, wording in _WORDS.items() if counts.get(outcome)]


def count(outcomes: Mapping[str, int]) -> Counter[Outcome]:
    """Counts again, from their JSON; without those of a later release."""
    return Counter({Outcome(name): number for name, number in outcomes.items() if name in set(Outcome)})
