"""The site's budget of mails a day (`QUOTA_SITE_MAILS_PER_DAY`): every mail that leaves by an SmtpSession is counted.

A tenth is reserved for what must get through whatever else is sent: mails about accounts, and errors to the admins.
What goes to many counts ahead, in blocks, and gives back what was not used, also where it has to wait; after a crash,
or an error of its task, at most one block counts that was never sent.
"""

import logging
import math

from webapp.lib.phrases import phrase
from webapp.lib.quota_variables import QUOTAS, Quota
from webapp.mail.failures import MailError
from webapp.models import RateCount
from webapp.models.quotas import most_of

log = logging.getLogger(__name__)

NAME = "mails of the site"  # as what they are counted
RESERVED = 10  # one of so many
AHEAD = 25  # mails in a block
LOOKED_AT_EVERY = 3600  # seconds, at the most: by then a task that waits looks whether there is budget again
TOLD = "the budget of mails is used up"
_DAY = QUOTAS[Quota.SITE_MAILS].seconds or 0
_USED_UP = phrase(
    "mail.budget_used_up", "this site has reached its limit of emails for today. It goes on in {seconds:estimate}."
)


class BudgetUsedUp(MailError):
    """No mail may be sent for now, and nothing was. In `after` seconds, ask again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(_USED_UP(seconds=seconds), may_retry=True, unheard=True)
        self.after = float(min(seconds, LOOKED_AT_EVERY))


def take(wanted: int = 1, *, is_reserved: bool = False) -> int:
    """Count mails before they are sent: so many, or as many of them as there are left; returns how many that are.

    Raises BudgetUsedUp where none is. One write; two at the very end; none without a budget. In a transaction that is
    rolled back, it never was.
    """
    most = _most(is_reserved)
    if most is None:
        return wanted
    too_many = max(0, RateCount.add(NAME, _DAY, wanted) - most)
    if too_many:
        give_back(min(too_many, wanted))
    if too_many >= wanted:
        found = RateCount.find(NAME)
        raise BudgetUsedUp(found.seconds_left if found else 1)
    return wanted - too_many


def is_limited() -> bool:
    """Whether there is a budget at all. No query."""
    return most_of(Quota.SITE_MAILS) is not None


def give_back(number: int) -> None:
    """These were counted, and are not sent. One write; none without a budget."""
    if number and is_limited():
        RateCount.add(NAME, _DAY, -number)


def tell_operator() -> None:
    """Say in the log, once in each day of the budget, that it is used up. One query, and a write when it says so."""
    most = _most(False)
    found = RateCount.find(NAME) if most is not None else None
    if found and found.number >= (most or 0) and RateCount.add(TOLD, found.seconds_left) == 1:
        log.warning(
            "The site's emails of today are used up: QUOTA_SITE_MAILS_PER_DAY is %s. Emails to many people and notices"
            " wait for %d s; a tenth is reserved for emails about accounts and errors, which go on",
            _most(True),
            found.seconds_left,
        )


def _most(is_reserved: bool) -> int | None:
    """How many there may be when one more is sent: all of them, or all but those that are reserved."""
    most = most_of(Quota.SITE_MAILS)
    return most if most is None or is_reserved else max(1, most - math.ceil(most / RESERVED))
