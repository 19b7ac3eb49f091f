"""Senders: who may mail whom. Others only from an account with a confirmed address that is older than a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from webapp.lib.phrases import Phrase, phrase
from webapp.lib.times import clock_words, utcnow
from webapp.mail.addresses import check_address
from webapp.mail.extension import is_configured
from webapp.models import RateCount, User
from webapp.models.mailing.suppression import key_of
from webapp.models.rate_count import Limit

FIRST_DAY = timedelta(days=1)
TESTS = Limit(10, 3600)

_CLOSED = phrase("mail.closed", "This site doesn’t let people send email for now.")
_NO_ADDRESS = phrase("mail.no_own_address", "To send email, first confirm an email address in Settings.")
_GUEST = phrase(
    "mail.guest", "As a guest you can email only yourself, at {address}. To email others, set a password in Settings."
)
_GUEST_WITHOUT_ADDRESS = phrase(
    "mail.guest_without_address",
    "As a guest you can email only yourself, once you’ve confirmed an email address in Settings. To email others, set a"
    " password there as well.",
)
_NEW = phrase("mail.new_account", "Your account is new: until {time}, you can email only yourself, at {address}.")
_NO_LINKS = phrase(
    "mail.no_unsubscribe_links",
    "This site can’t put links into its emails yet, so nobody could unsubscribe. You can email only yourself, at"
    " {address}.",
)


class MayNotMail(Exception):
    """Its sender may not mail these people, now or at the time that they chose. Its text says why."""


@dataclass(frozen=True)
class Refusal:
    """Why somebody may not mail others: in words, and `until` when, None where time changes nothing.

    `own` is the address that they may mail nevertheless, as `key_of` has it; empty where that is none.
    `is_for_settings`: what they can do about it is in their settings.
    """

    words: Phrase
    own: str = ""
    until: datetime | None = None
    is_for_settings: bool = False

    def is_about(self, addresses: list[str]) -> bool:
        """Whether any of these checked addresses is one that they may not mail."""
        return any(key_of(address) != self.own for address in addresses)


def own_address(user: User) -> str:
    """The address that is somebody's own by now: a confirmed one, or one of before in its grace. Empty for none."""
    grace_ends = user.email_grace_ends_at
    is_theirs = user.email_confirmed_at or (grace_ends and grace_ends > utcnow())
    return (check_address(user.email)[0] or user.email) if user.email and is_theirs else ""


def refusal_for(user: User, at: datetime) -> Refusal | None:
    """Why somebody may not mail others at a time; None if they may. Needs an app context. No query."""
    own = own_address(user)
    if not current_app.config["SETTINGS"].mail_daily_limit:
        return Refusal(_CLOSED())
    if user.is_guest:
        words = _GUEST(address=own) if own else _GUEST_WITHOUT_ADDRESS()
        return Refusal(words, key_of(own), is_for_settings=True)
    if not own:
        return Refusal(_NO_ADDRESS(), is_for_settings=True)
    if not current_app.config["BASE_URL"]:
        return Refusal(_NO_LINKS(address=own), key_of(own))
    if at < (until := user.created_at + FIRST_DAY):
        time = clock_words(until, user.time_zone, after=utcnow())
        return Refusal(_NEW(address=own, time=time), key_of(own), until)
    return None


def demand_permission(user: User, addresses: list[str], at: datetime) -> None:
    """Raise MayNotMail if somebody may not mail these checked addresses at a time. Needs an app context. No query."""
    if (refusal := refusal_for(user, at)) and refusal.is_about(addresses):
        raise MayNotMail(f"{refusal.words}{' You can schedule this for later.' if refusal.until else ''}")


def address_for_test(user: User) -> str:
    """The address to which somebody may send a test of a mail now, which is counted by that. Needs an app context.

    Raises MayNotMail, and TooMany beyond TESTS. One write.
    """
    if not is_configured():
        raise MayNotMail("This site has no mail server, so it can’t send email.")
    address = own_address(user)
    if not address:
        raise MayNotMail("To send yourself a test, first confirm an email address in Settings.")
    if (refusal := refusal_for(user, utcnow())) and refusal.is_about([address]):
        raise MayNotMail(str(refusal.words))
    RateCount.count([TESTS], "mail test", str(user.id))
    return address
