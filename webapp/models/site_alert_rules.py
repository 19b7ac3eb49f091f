"""The rules of site alerts: the one table of what is looked at, and how an alert of each reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webapp.lib.complete import complete
from webapp.lib.phrases import Wording, phrase


class Rule(StrEnum):
    """What is looked at. The value stands in rows."""

    OLDEST_WAIT = "oldest wait"  # of each kind
    FAILURE_SHARE = "failure share"  # of each kind
    NO_WORKER = "no worker"
    NO_SWEEP = "no sweep"
    MAIL_FAILING = "mail failing"


CHAPTER = "Alerts"  # of docs/troubleshooting.md, which says of each what to do


@dataclass(frozen=True)
class RuleRow:
    """How an alert of this rule reads, and the page of the desk where one acts, below /desk.

    The words may use {subject}, a kind; {value}, what was measured; and {limit}.
    """

    words: Wording
    page: str


RULES: Mapping[Rule, RuleRow] = complete(
    "RULES",
    Rule,
    {
        Rule.OLDEST_WAIT: RuleRow(
            phrase("site_alert.oldest_wait", "{subject} has been waiting for {value:estimate}"), "kinds"
        ),
        Rule.FAILURE_SHARE: RuleRow(
            phrase("site_alert.failure_share", "{value}% of {subject} failed in the last 10 minutes"), "failures"
        ),
        Rule.NO_WORKER: RuleRow(phrase("site_alert.no_worker", "No worker takes tasks"), "workers"),
        Rule.NO_SWEEP: RuleRow(
            phrase("site_alert.no_sweep", "No sweeper works, so lost tasks aren’t continued"), "workers"
        ),
        Rule.MAIL_FAILING: RuleRow(
            phrase("site_alert.mail_failing", "Mail about accounts has not been sent for {value:estimate}"), "system"
        ),
    },
)


@dataclass(frozen=True)
class Measured:
    """What a rule has found: about the whole site, or about one kind. Seconds, or percent."""

    rule: Rule
    value: float
    limit: float
    subject: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether it is beyond the limit."""
        return self.value > self.limit

    @property
    def key(self) -> str:
        """What is the same each minute."""
        return f"{self.rule} {self.subject}".strip()
