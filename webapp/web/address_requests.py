"""What a request does to somebody's address: it asks for a new one and for links, each of which is counted first."""

from webapp.mail.confirmation_links import can_send_links
from webapp.mail.link_limits import TooManyLinks, count_link
from webapp.models import EmailChange, User
from webapp.web.known_browsers import knows_owner_of
from webapp.web.rate_limits import client_network
from webapp.web.security_log import Event, record

NO_LINKS = "This site can’t send emails with links yet, so no address can be confirmed for now."


def count(user: User, address: str) -> None:
    """Count a link, where this site can send any. Raises TooManyLinks."""
    if can_send_links():
        count_link(address, user.id, client_network(), is_theirs=knows_owner_of(address))


def request_address(user: User, address: str) -> str:
    """Have somebody confirm a new address; returns what to tell them. Raises TooManyLinks, and changes nothing."""
    pending = EmailChange.pending_of(user)
    if address == user.email and not user.must_confirm_email:
        EmailChange.cancel(user)
        return "Saved."
    count(user, address)
    if pending and pending.address == address:
        return _sent_again(pending)
    change = EmailChange.request(user, address, send=can_send_links())
    record(Event.ADDRESS_ASKED, user, change_id=change.id)
    return _told(address)


def send_link_again(user: User, *, to_present: bool = False) -> str:
    """Send another link to the address that somebody wants and has not confirmed, or else `to_present`: the one of
    before that is still used. Returns what to tell them. Raises TooManyLinks.
    """
    pending = EmailChange.pending_of(user)
    if pending and not (to_present and user.must_confirm_email):
        count(user, pending.address)
        return _sent_again(pending)
    return request_address(user, user.email) if user.must_confirm_email else "There’s no address to confirm."


def request_first_address(user: User, address: str) -> str:
    """Record the address that somebody has registered with; returns what to tell them. It never fails for the limits:
    a link can be asked for later."""
    send, refusal = can_send_links(), ""
    try:
        count(user, address)
    except TooManyLinks as error:
        send, refusal = False, f"We haven’t sent you a link to confirm your email address. {error}"
    change = EmailChange.request(user, address, send=send)
    record(Event.ADDRESS_ASKED, user, change_id=change.id)
    return refusal or _told(address)


def _sent_again(pending: EmailChange) -> str:
    if can_send_links():
        pending.send_link()
    return _told(pending.address)


def _told(address: str) -> str:
    return f"We’re sending a link to {address}. Open it to confirm that address." if can_send_links() else NO_LINKS
