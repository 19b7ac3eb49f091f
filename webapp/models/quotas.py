"""What each quota counts, and the words in which somebody is refused.

The numbers are in `webapp/lib/quota_variables.py`.

What people *do* counts in a window that begins with the first time, by `use`. What they *have* is counted where it is
kept, and goes through `demand`. Both raise OverQuota, for which every door has the same words.
"""

from webapp.lib.complete import complete
from webapp.lib.i18n import number
from webapp.lib.phrases import Phrase, Wording, phrase
from webapp.lib.quota_variables import DEFAULTS, QUOTAS, Quota, Quotas
from webapp.models.rate_count import RateCount
from webapp.models.user_row import UserRow

_quotas: Quotas = DEFAULTS

# {most} is the number, {seconds} is when the window ends. A number of bytes is given as its text.
REFUSALS = complete(
    "REFUSALS",
    Quota,
    {
        Quota.ACTIVE_TASKS: phrase(
            "quota.active_tasks",
            "You can have {most} tasks at a time. Wait until one has finished, or cancel one, then try again.",
        ),
        Quota.LAUNCHES: phrase(
            "quota.launches", "You can start {most} tasks a minute. Try again in {seconds:duration}."
        ),
        Quota.STORAGE: phrase(
            "quota.storage", "You can store {most}, and this would be more. Delete some of your files, then try again."
        ),
        Quota.IMPORT_ROWS: phrase("quota.import_rows", "A file can have {most} rows, and this one has more."),
        Quota.EXPORTS: phrase(
            "quota.exports", "You can download everything {most} times a day. Try again in {seconds:duration}."
        ),
        Quota.POSTS: phrase("quota.posts", "You can post {most} times a minute. Try again in {seconds:duration}."),
        Quota.MESSAGES: phrase(
            "quota.messages", "You can send {most} messages a minute. Try again in {seconds:duration}."
        ),
        Quota.PEOPLE_MESSAGED: phrase(
            "quota.people_messaged",
            "You can write to {most} different people a day. Try again in {seconds:duration}, or write to somebody you"
            " wrote to today.",
        ),
        Quota.SITE_ACCOUNTS: phrase(
            "quota.site_accounts",
            "This site has had as many new accounts today as it takes. Try again in {seconds:duration}.",
        ),
        Quota.SITE_MAILS: phrase(
            "quota.site_mails", "This site has sent as many emails today as it may. Try again in {seconds:duration}."
        ),
    },
)


class OverQuota(Exception):
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
        wording: Wording = REFUSALS[self.quota]
        most = f"{number(self.most / 1_000_000)} MB" if self.quota is Quota.STORAGE else self.most
        return wording(most=most, seconds=self.seconds_left)

    def words(self) -> str:
        """The same in words."""
        return self.phrase.words()


def configure(quotas: Quotas) -> None:
    """Let these count in this process."""
    global _quotas
    _quotas = quotas


def most_of(quota: Quota, user: UserRow | None = None) -> int | None:
    """How much of it a person may have or do, or the site where that is None; None if it is unlimited. No query."""
    most = _quotas[quota]
    return most.guests if user and user.is_guest else most.accounts


def demand(quota: Quota, used: int, user: UserRow) -> None:
    """Raise OverQuota if somebody would have `used` with what is to be added. No query."""
    most = most_of(quota, user)
    if most is not None and used > most:
        raise OverQuota(quota, most)


def use(quota: Quota, user: UserRow | None = None, times: int = 1) -> None:
    """Count what a person, or the site, does, so many times. Raises OverQuota beyond it, and then counts nothing.

    One write where there is a quota, none where it is unlimited. In a transaction that is rolled back, it never was.
    """
    most = most_of(quota, user)
    if most is None:
        return
    seconds = QUOTAS[quota].seconds
    assert seconds is not None, f"{quota} is what somebody has: ask `demand`"
    name = f"quota/{quota}/{user.id if user else 'site'}/{seconds}"
    if RateCount.add(name, seconds, times) > most:
        RateCount.add(name, seconds, -times)
        found = RateCount.find(name)
        raise OverQuota(quota, most, found.seconds_left if found else 1)
