"""The links by which somebody unsubscribes from a sender: each for one address, for as long as this site has its key.

A token is sealed: it says nothing to whoever sees it in a log, and nobody can make one for somebody else. It is stored
nowhere, and so is good when the mail is long gone, and the sender, too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from webapp.lib.sealing import CannotUnseal, seal, unseal
from webapp.models import User
from webapp.models.mailing.suppression import key_of

LONGEST_TOKEN = 700  # characters; the address alone may have 320
PATH = "unsubscribe"
_PURPOSE = b"errand.mail.unsubscribe"
_VERSION = "1."  # of what `seal` makes
_NONCE = 16  # characters at the beginning


@dataclass(frozen=True)
class Subscription:
    """An address and who mails it; `sender` is None once their account is gone."""

    address: str
    sender: User | None


def links_of(sender: User) -> Callable[[str], str] | None:
    """A function that makes the link of each recipient of a sender; None where the site does not know where it is.

    Needs an app context. Some 15 µs a link.
    """
    base, key = current_app.config["BASE_URL"], current_app.config["SECRET_KEY"]
    return (lambda address: f"{base}/{PATH}/{token_of(sender, address, key)}") if base else None


def token_of(sender: User, address: str, secret_key: str) -> str:
    """The secret part of a link."""
    sealed = seal(f"{_who(sender)} {key_of(address)}", key=secret_key, purpose=_PURPOSE)
    text = sealed.removeprefix(_VERSION).rstrip("=")
    return f"{text[:_NONCE]}.{text[_NONCE:]}"  # in the form by which the access log knows that it is a secret


def subscription_of(token: str) -> Subscription | None:
    """What a link is about; None if it is none of ours. Needs an app context. One query, where it is one."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    nonce, _, rest = token.partition(".")
    padded = _VERSION + nonce + rest + "=" * (-len(nonce + rest) % 4)
    try:
        who, _, address = unseal(padded, keys=current_app.config["SECRET_KEYS"], purpose=_PURPOSE).partition(" ")
    except CannotUnseal:
        return None
    sender = User.get_or_none(User.id == int(who.partition("-")[0]))
    return Subscription(address, sender if sender and _who(sender) == who else None)


def _who(sender: User) -> str:
    """An account for good: SQLite gives the id of one that is gone to a later one."""
    return f"{sender.id}-{sender.created_at:%Y%m%d%H%M%S%f}"
