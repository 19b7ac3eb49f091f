"""What each quota counts, and the words in which somebody is refused.

The numbers are in `webapp/lib/quota_variables.py`.

What people *do* counts in a window that begins with the first time, by `use`. What they *have* is counted where it is
kept, and goes through `demand`. Both raise OverQuota, for which every door has the same words.
"""

from peewee import Model, ModelSelect

from tasks.engine.models.observers import StartRefused
from webapp.lib.complete import complete
from webapp.lib.i18n import number
from webapp.lib.phrases import Phrase, Wording, phrase
from webapp.lib.quota_variables import DEFAULTS, QUOTAS, Quota, Quotas
from webapp.models.rate_count import RateCount
from webapp.models.user_row import UserRow

_quotas: Quotas = DEFAULTS

# {number} is how many, {seconds} is when the window ends. A number of bytes is given as its text.
REFUSALS = complete(
    "REFUSALS",
    Quota,
    {
        Quota.ACTIVE_TASKS: phrase(
            "quota.active_tasks",
            "You can have {number} task at a time. Wait until it has finished, or cancel it, then try again.",
            plural="You can have {number} tasks at a time. Wait until one has finished, or cancel one, then try again.",
        ),
        Quota.LAUNCHES: phrase(
            "quota.launches",
            "You can start {number} task a minute. Try again in {seconds:estimate}.",
            plural="You can start {number} tasks a minute. Try again in {seconds:estimate}.",
        ),
        Quota.STORAGE: phrase(
            "quota.storage",
            "You can store {number}, and this would be more. Delete some of your files under Settings → Storage, then"
            " try again.",
        ),
        Quota.IMPORT_ROWS: phrase(
            "quota.import_rows",
            "A file can have {number} row, and this one has more.",
            plural="A file can have {number} rows, and this one has more.",
        ),
        Quota.POSTS: phrase(
            "quota.posts",
            "You can post {number} time a minute. Try again in {seconds:estimate}.",
            plural="You can post {number} times a minute. Try again in {seconds:estimate}.",
        ),
        Quota.EXPORTS: phrase(
            "quota.exports",
            "You can download everything {number} time a day. Try again in {seconds:estimate}.",
            plural="You can download everything {number} times a day. Try again in {seconds:estimate}.",
        ),
        Quota.MESSAGES: phrase(
            "quota.messages",
            "You can send {number} message a minute. Try again in {seconds:estimate}.",
            plural="You can send {number} messages a minute. Try again in {seconds:estimate}.",
        ),
        Quota.PEOPLE_MESSAGED: phrase(
            "quota.people_messaged",
            "You can write to {number} new person a day. Try again in {seconds:estimate}, or write to somebody you"
            " wrote to today.",
            plural="You can write to {number} different people a day. Try again in {seconds:estimate}, or write to"
            " somebody you wrote to today.",
        ),
        Quota.REPORTS: phrase(
            "quota.reports",
            "You can report {number} post or message a day. Try again in {seconds:estimate}.",
            plural="You can report {number} posts and messages a day. Try again in {seconds:estimate}.",
        ),
        Quota.TOKENS: phrase(
            "quota.tokens",
            "You can have {number} token at a time. Revoke it, then try again.",
            plural="You can have {number} tokens at a time. Revoke one that you no longer need, then try again.",
        ),
        Quota.API_READS: phrase(
            "quota.api_reads",
            "Your programs can read {number} time a minute. Try again in {seconds:estimate}.",
            plural="Your programs can read {number} times a minute. Try again in {seconds:estimate}.",
        ),
        Quota.API_WRITES: phrase(
            "quota.api_writes",
            "Your programs can change something {number} time a minute. Try again in {seconds:estimate}.",
            plural="Your programs can change something {number} times a minute. Try again in {seconds:estimate}.",
        ),
        Quota.API_LAUNCHES: phrase(
            "quota.api_launches",
            "Your programs can ask to start {number} task a minute. Try again in {seconds:estimate}.",
            plural="Your programs can ask to start {number} tasks a minute. Try again in {seconds:estimate}.",
        ),
        Quota.API_WITHOUT_TOKEN: phrase(
            "quota.api_without_token",
            "Without a good token, programs of your network can ask {number} time a minute. Try again in"
            " {seconds:estimate}.",
            plural="Without a good token, programs of your network can ask {number} times a minute. Try again in"
            " {seconds:estimate}.",
        ),
        Quota.NETWORK_ACCOUNTS: phrase(
            "quota.network_accounts",
            "{number} account has been created from your network today, which is the limit. Try again in"
            " {seconds:estimate}.",
            plural="{number} accounts have been created from your network today, which is the limit. Try again in"
            " {seconds:estimate}.",
        ),
        Quota.SITE_ACCOUNTS: phrase(
            "quota.site_accounts",
            "This site has reached its limit of new accounts for today. Try again in {seconds:estimate}.",
        ),
        Quota.SITE_MAILS: phrase(
            "quota.site_mails", "This site has reached its limit of emails for today. Try again in {seconds:estimate}."
        ),
    },
)


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


def refusal(quota: Quota, most: int, seconds_left: int | None) -> Phrase:
    """What somebody is told who is refused by a quota."""
    wording: Wording = REFUSALS[quota]
    said = f"{number(most / 1_000_000)} MB" if quota is Quota.STORAGE else most
    return wording(number=said, seconds=seconds_left)


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


def use(quota: Quota, user: UserRow | None = None, times: int = 1, network: str = "") -> None:
    """Count what a person does, or those of a `network`, or the site, so many times. Raises OverQuota beyond it, and
    then counts nothing.

    One write where there is a quota, none where it is unlimited. In a transaction that is rolled back, it never was.
    """
    most = most_of(quota, user)
    if most is None:
        return
    name, seconds = _window(quota, user, network)
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
    name, seconds = _window(Quota.PEOPLE_MESSAGED, sender)
    if RateCount.add(f"{name}/{recipient.id}", seconds) == 1:
        use(Quota.PEOPLE_MESSAGED, sender)


def demand_left(quota: Quota, user: UserRow | None = None, network: str = "") -> None:
    """Raise OverQuota if nothing is left to `use`: before something costly, which counts it. At most one query."""
    most = most_of(quota, user)
    found = RateCount.find(_window(quota, user, network)[0]) if most is not None else None
    if most is not None and found and found.number >= most:
        raise OverQuota(quota, most, found.seconds_left)


def _window(quota: Quota, user: UserRow | None, network: str = "") -> tuple[str, int]:
    """The name that it is counted by, and how long."""
    seconds = QUOTAS[quota].seconds
    assert seconds is not None, f"{quota} is what somebody has: ask `demand`"
    return f"quota/{quota}/{user.id if user else network or 'site'}/{seconds}", seconds
