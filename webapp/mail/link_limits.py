"""How many links that confirm an address are sent: to one address, whoever types it, and for one who asks.

So whatever strangers do, somebody gets a few mails a day of this kind at most. They are counted in the database.
"""

from webapp.lib.i18n import duration, estimate
from webapp.mail.addresses import check_address
from webapp.models import RateCount

HOUR, DAY = 3600, 24 * 3600  # seconds
PER_ADDRESS = {HOUR: 3, DAY: 10}
PER_ACCOUNT = {HOUR: 10, DAY: 30}
PER_NETWORK = {HOUR: 60, DAY: 300}


class TooManyLinks(Exception):
    """No more links for now. Its text says why, and when that ends."""


def count_link(address: str, user_id: int, network: str = "") -> None:
    """Count a link to an address before it is sent. `network` is whose browser asks; empty if none does.

    Raises TooManyLinks, and then nothing is to be sent. One or two writes for each limit.
    """
    _count(PER_ACCOUNT, "You’ve asked for {number} links within {time}.", "account", str(user_id))
    if network:
        _count(PER_NETWORK, "Your network has asked for {number} links within {time}.", "network", network)
    _count(PER_ADDRESS, "We’ve sent {number} links to that address within {time}.", "address", mailbox_of(address))


def mailbox_of(address: str) -> str:
    """What all spellings of an address have in common that are likely to reach one person: its case, its domain in
    letters or in ASCII, and what stands after a plus."""
    plain, _ = check_address(address)
    local, _, domain = (plain or address).casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _count(limits: dict[int, int], words: str, *who: str) -> None:
    for seconds, most in limits.items():
        key = "/".join(("link", *who, str(seconds)))
        if RateCount.add(key, seconds) > most:
            found = RateCount.find(key)
            wait = estimate(found.seconds_left if found else 1)
            said = words.format(number=most, time="an hour" if seconds == HOUR else duration(seconds))
            raise TooManyLinks(f"{said} Try again in {wait}.")
