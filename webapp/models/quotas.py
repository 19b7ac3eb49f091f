"""What each quota counts.

The numbers are in `webapp/lib/quota_variables.py`, the words in `webapp/models/quota_words.py`.

What people *do* counts in a window that begins with the first time, by `use`. What they *have* is counted where it is
kept, and goes through `demand`. Both raise OverQuota, for which every door has the same words.
"""

from peewee import Model, ModelSelect

from tasks.engine.models.observers import StartRefused
from webapp.lib.phrases import Phrase
from webapp.lib.quota_variables import DEFAULTS, QUOTAS, Quota, Quotas
from webapp.models.own_quota import OwnQuota
from webapp.models.quota_words import refusal
from webapp.models.rate_count import RateCount
from webapp.models.user_row import UserRow

_quotas: Quotas = DEFAULTS


class OverQuota(StartRefused):
    """More than a quota allows. `most` is the number, and `seconds_left` when its window ends, None where it has none.

    Whoever raises it has done nothing.
    """

    def __init__(self, quota: Quota, most: int, seconds_left: int | None = None) -> None:
        super().__init__(f"more than {most} of {quota}")
        self.quota, self.most, self.seconds_left = quota, most, seconds_left

    @property
    def status(self) -> int:
        """The HTTP status of the answer: 429 where it helps to wait, with Retry-After; otherwise 422."""
        return 422 if self.seconds_left is None else 429

    @property
    def phrase(self) -> Phrase:
        """What the person is told."""
        return refusal(self.quota, self.most, self.seconds_left)

    def words(self) -> str:
        """The same in words."""
        return self.phrase.words()


def configure(quotas: Quotas) -> None:
    """Let these count in this process."""
    global _quotas
    _quotas = quotas


def most_of(quota: Quota, user: UserRow | None = None) -> int | None:
    """How much of it a person may have or do, or the site where that is None; None if it is unlimited. No query: a
    quota of their own stands in their row."""
    if user and user.own_quotas and (own := OwnQuota.of(user, quota)):
        return own.most
    most = _quotas[quota]
    return most.guests if user and user.is_guest else most.accounts


def demand(quota: Quota, used: int, user: UserRow) -> None:
    """Raise OverQuota if somebody would have `used` with what is to be added. No query."""
    most = most_of(quota, user)
    if most is not None and used > most:
        raise OverQuota(quota, most)


def use(quota: Quota, user: UserRow | None = None, times: int = 1, network: str = "") -> None:
    """Count what a person does, or those of a `network`, or the site, so many times. Raises OverQuota beyond it, and
    then counts nothing.

    One write where there is a quota, none where it is unlimited. In a transaction that is rolled back, it never was.
    """
    most = most_of(quota, user)
    if most is None:
        return
    name, seconds = window_of(quota, user, network)
    if RateCount.add(name, seconds, times) > most:
        RateCount.add(name, seconds, -times)
        found = RateCount.find(name)
        raise OverQuota(quota, most, found.seconds_left if found else 1)


def use_for_message(sender: UserRow, recipient: UserRow, answers: "ModelSelect[Model]") -> None:
    """Count a message, and whom it is to, if they are new: each is once in a window of their own.

    Whoever has written any of `answers` is not new. In a transaction, which is rolled back where this raises OverQuota.
    At most three writes and a query; nothing where it is unlimited.
    """
    use(Quota.MESSAGES, sender)
    if most_of(Quota.PEOPLE_MESSAGED, sender) is None or answers.exists():
        return
    name, seconds = window_of(Quota.PEOPLE_MESSAGED, sender)
    if RateCount.add(f"{name}/{recipient.id}", seconds) == 1:
        use(Quota.PEOPLE_MESSAGED, sender)


def demand_left(quota: Quota, user: UserRow | None = None, network: str = "") -> None:
    """Raise OverQuota if nothing is left to `use`: before something costly, which counts it. At most one query."""
    most = most_of(quota, user)
    found = RateCount.find(window_of(quota, user, network)[0]) if most is not None else None
    if most is not None and found and found.number >= most:
        raise OverQuota(quota, most, found.seconds_left)


def window_of(quota: Quota, user: UserRow | None, network: str = "") -> tuple[str, int]:
    """The name by which a quota for what people do is counted, and for how many seconds. No query."""
    seconds = QUOTAS[quota].seconds
    assert seconds is not None, f"{quota} is what somebody has: ask `demand`"
    return f"quota/{quota}/{user.id if user else network or 'site'}/{seconds}", seconds
