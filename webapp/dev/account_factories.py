"""Rows about accounts, for tests and for demonstration; as in `factories`."""

from itertools import count
from typing import Any

from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import EmailChange, User

_numbers = count(1)


def make_email_change(user: User | None = None, address: str = "new@example.com", **fields: Any) -> EmailChange:
    """An address that is to be confirmed, by a link that was sent just now."""
    user = user or make_user()
    defaults = {"nonce": f"nonce-{next(_numbers)}", "old_address": user.email, "sent_at": utcnow()}
    return EmailChange.create(user=user, address=address, **defaults | fields)
