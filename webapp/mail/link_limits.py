"""How many links that confirm an address are sent: to one address, whoever types it, and for one who asks.

So whatever strangers do, somebody gets a few mails a day of this kind at most. They are counted in the database.
"""

from webapp.lib.i18n import duration, estimate
from webapp.mail.addresses import check_address
from webapp.models import RateCount
from webapp.models.rate_count import Limit, TooMany

HOUR, DAY = 3600, 24 * 3600  # seconds
PER_ADDRESS = Limit(3, HOUR), Limit(10, DAY)
PER_ACCOUNT = Limit(10, HOUR), Limit(30, DAY)
PER_NETWORK = Limit(60, HOUR), Limit(300, DAY)


class TooManyLinks(Exception):
    """No more links for now. Its text says why, and when that ends."""


def count_link(address: str, user_id: int, network: str = "", *, is_theirs: bool = False) -> None:
    """Count a link to an address before it is sent. `network` is whose browser asks; empty if none does.

    `is_theirs` says that the browser has signed in to an account with that address: it has an allowance of its own,
    which no stranger can use up.

    Raises TooManyLinks, and then nothing is to be sent. One write for each limit.
    """
    _count(PER_ACCOUNT, "You’ve asked for {number} links within {time}.", "account", str(user_id))
    if network:
        _count(PER_NETWORK, "Your network has asked for {number} links within {time}.", "network", network)
    whose = "own address" if is_theirs else "address"
    _count(PER_ADDRESS, "We’ve sent {number} links to that address within {time}.", whose, mailbox_of(address))


def mailbox_of(address: str) -> str:
    """What all spellings of an address have in common that are likely to reach one person: its case, its domain in
    letters or in ASCII, and what stands after a plus."""
    plain, _ = check_address(address)
    local, _, domain = (plain or address).casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _count(limits: tuple[Limit, ...], words: str, *who: str) -> None:
    try:
        RateCount.count(limits, "link", *who)
    except TooMany as error:
        most, seconds = error.limit
        said = words.format(number=most, time="an hour" if seconds == HOUR else duration(seconds))
        raise TooManyLinks(f"{said} Try again in {estimate(error.seconds_left)}.") from None
