"""The links by which an address is confirmed, by which the one before undoes that, and by which an account that is to
be deleted is kept; and what is mailed with them.

A link names a change or a deletion by its nonce, signed for one purpose. So nothing that is stored opens anything, and
a link for one purpose or of another site's key is none for the other.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from webapp.lib.times import utcnow
from webapp.mail.extension import is_configured
from webapp.models import AccountMail, ChangeState, Deletion, EmailChange
from webapp.models.email_change import LINK_LASTS, UNDO_LASTS

LONGEST_TOKEN = 200  # characters; ours have some 70


class Purpose(StrEnum):
    """What a link is for; the salt of its signature."""

    CONFIRM = "errand.email.confirm"
    UNDO = "errand.email.undo"
    KEEP = "errand.deletion.keep"


def can_send_links() -> bool:
    """Whether this site has a mail server, and an address to which links lead. Needs an app context."""
    return bool(current_app.config["BASE_URL"]) and is_configured()


def token_of(change: EmailChange | Deletion, purpose: Purpose) -> str:
    """The secret part of a link. Needs an app context."""
    return str(_signer(purpose).dumps(change.nonce))


def change_of(token: str, purpose: Purpose) -> EmailChange | None:
    """The change that a link is about; None if it is no link of ours for that, or that is gone. At most one query."""
    nonce = _nonce_in(token, purpose)
    return EmailChange.get_or_none(EmailChange.nonce == nonce) if nonce else None


def deletion_of(token: str) -> Deletion | None:
    """The deletion that a link is about; None if it is no link of ours for that, or too late. At most one query."""
    nonce = _nonce_in(token, Purpose.KEEP)
    return Deletion.of_nonce(nonce) if nonce else None


def link_to_confirm(mail: AccountMail) -> Mapping[str, Any] | None:
    """What the templates of such a mail get; None if the address is wanted no more."""
    change = EmailChange.get_or_none(EmailChange.id == mail.arguments["change"])
    if change is None or change.state != ChangeState.PENDING:
        return None
    return {"token": token_of(change, Purpose.CONFIRM), "days": LINK_LASTS.days}


def link_to_undo(mail: AccountMail) -> Mapping[str, Any] | None:
    """What the templates of such a mail get; None if it is undone by now, or cannot be any more."""
    change = EmailChange.get_or_none(EmailChange.id == mail.arguments["change"])
    if change is None or change.confirmed_at is None or not change.can_be_undone:
        return None
    until = change.confirmed_at + UNDO_LASTS
    return {"token": token_of(change, Purpose.UNDO), "until": until, "removed": not change.address}


def link_to_keep(mail: AccountMail) -> Mapping[str, Any] | None:
    """What the templates of such a mail get; None if the account is kept by now, or gone."""
    # By its user, too: SQLite gives the id of a deletion that was taken back to another one.
    is_theirs = Deletion.id == mail.arguments["deletion"], Deletion.user == mail.user_id, Deletion.returned_at.is_null()
    leaving = Deletion.get_or_none(*is_theirs)
    if not leaving:
        return None
    is_open = leaving.begun_at is None and leaving.due_at > utcnow()
    return {"token": is_open and token_of(leaving, Purpose.KEEP), "leaving": leaving}


def _nonce_in(token: str, purpose: Purpose) -> str:
    """The nonce that a link names; empty if it is no link of ours for that purpose."""
    try:
        return str(_signer(purpose).loads(token)) if len(token) <= LONGEST_TOKEN else ""
    except BadSignature:
        return ""


def _signer(purpose: Purpose) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEYS"], purpose, signer_kwargs={"digest_method": sha256})
