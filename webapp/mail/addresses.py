"""What an address is: found in an entry, and checked as far as that goes without asking its server."""

from email_validator import EmailNotValidError, validate_email

from webapp.lib.i18n import number
from webapp.mail.recipient_entries import QUOTES

ADDRESS_LENGTH = 320  # characters: 64, an @ and 255, by RFC 3696

_MAILTO = "mailto:"
# These two join letters in the domains of some scripts, and mean nothing among English ones.
_JOINERS = str.maketrans("", "", "\u200c\u200d")


def bare_address(entry: str) -> str:
    """The address in an entry, without its name, quotes and `mailto:`."""
    _, opening, inner = entry.rpartition("<")
    address = inner[:-1] if opening and inner.endswith(">") else entry
    address = address.strip(QUOTES)
    if address[: len(_MAILTO)].lower() == _MAILTO:
        address = address[len(_MAILTO) :].partition("?")[0].strip(QUOTES)
    plain = address.translate(_JOINERS)
    return plain if plain.isascii() else address


def check_address(address: str) -> tuple[str, str]:
    """The address as it is mailed to, and an empty string; or an empty string, and what is wrong with it."""
    if len(address) > ADDRESS_LENGTH:
        return "", f"Too long: an address can have up to {ADDRESS_LENGTH} characters, not {number(len(address))}."
    odd = next((character for character in address.rpartition("@")[0] if not character.isascii()), "")
    if odd:
        return "", f"Addresses with “{odd}” before the @ aren’t supported."
    try:
        checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        return "", str(error)
    return checked.ascii_email or checked.normalized, ""
