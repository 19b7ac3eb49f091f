"""Take addresses that nobody has confirmed out of use, once their grace has ended. A sweep hook, no task."""

from contextlib import suppress

from tasks.engine import sweep_hook
from webapp.mail.confirmation_links import can_send_links
from webapp.mail.link_limits import TooManyLinks, count_link
from webapp.models import withdraw


@sweep_hook
def withdraw_addresses(at_once: int) -> None:
    """Make them pending, `at_once` of a kind at most. Who had a grace was asked on every page, and is sent nothing; an
    address that the release before has written is sent its link, where this site can send any. Where there are none,
    two small queries."""
    withdraw(at_once, with_grace=True)
    for change in withdraw(at_once, with_grace=False):
        if not can_send_links():
            continue
        with suppress(TooManyLinks):  # then its owner can ask for one later
            count_link(change.address, change.user_id)
            change.send_link()
