"""The security log: who signed in, who was refused, and what changed about an account, as `errand.security` at INFO.

A line has the account's id, the network and the session of the browser, and the request's id; never a name, an address,
a password, a code, or anything else that was typed. docs/operating.md lists the events.
"""

import logging
from enum import StrEnum

from flask import g, has_request_context
from flask_login import AnonymousUserMixin

from webapp.models.user_row import UserRow
from webapp.web.clients import coarse_network

log = logging.getLogger("errand.security")


class Event(StrEnum):
    """What is logged, in the words that programs look for."""

    ACCOUNT_CREATED = "account created"
    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SIGN_IN_OF_SUSPENDED = "suspended account refused"
    SIGNED_OUT = "signed out"
    SESSION_ENDED = "session ended"
    ADDRESS_ASKED = "address change asked"
    ADDRESS_CONFIRMED = "address confirmed"
    ADDRESS_REMOVED = "address removed"
    ADDRESS_UNDONE = "address change undone"
    USERNAME_CHANGED = "username changed"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - no password
    SECOND_FACTOR_ON = "second factor turned on"
    SECOND_FACTOR_OFF = "second factor turned off"
    SECOND_FACTOR_FAILED = "second factor failed"
    RECOVERY_CODE_USED = "recovery code used"
    RECOVERY_CODES_NEW = "recovery codes replaced"
    TOKEN_MADE = "token made"  # noqa: S105 - no password
    TOKEN_REVOKED = "token revoked"  # noqa: S105 - no password
    REAUTHENTICATED = "re-authenticated"
    REAUTHENTICATION_FAILED = "re-authentication failed"
    DATA_ASKED = "data export asked"
    ROLE_CHANGED = "role changed"
    SUSPENDED = "account suspended"
    REINSTATED = "account reinstated"
    QUOTA_CHANGED = "quota changed"
    STEERED = "task steered"
    PERMISSION_REFUSED = "permission refused"
    NOT_THE_OWNER = "not the owner"
    FORM_REFUSED = "form refused"
    REPORTED = "reported"
    RATE_LIMITED = "rate limited"
    OVER_QUOTA = "over quota"
    RESET_REQUESTED = "password reset requested"
    PASSWORD_RESET = "password reset"  # noqa: S105 - no password
    ADDRESS_SUPPRESSED = "address suppressed"
    ADDRESS_UNSUPPRESSED = "address no longer suppressed"
    DELETION_ASKED = "account deletion asked"
    DELETION_CANCELED = "account deletion canceled"


def record(event: Event, user: UserRow | None = None, **fields: object) -> None:
    """Log an event, and whose account it is about, if it is about one; further fields are ids, numbers, and words of
    ours. No query."""
    asked = {"network": coarse_network(), "session_id": _session_id()} if has_request_context() else {}
    about = {"event": event.value, "account_id": user and user.id, **asked, **fields}
    log.info("Security: %s", event.value, extra={"fields": about})


def _session_id() -> int | None:
    """The session of this browser, where it has been looked up: what was refused before need not be."""
    reader: UserRow | AnonymousUserMixin | None = g.get("_login_user")
    session = getattr(reader, "session", None)
    return session and session.id
