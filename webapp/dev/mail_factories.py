"""Rows about mail to many, for tests and for demonstration; as in `factories`."""

from itertools import count

from webapp.models import Suppression, User
from webapp.models.mailing.suppression import Reason

_numbers = count(1)


def make_suppression(sender: User | None, address: str = "", reason: Reason = Reason.ENTERED) -> Suppression:
    """An address that a sender, or without one nobody, sends to."""
    address = address or f"s{next(_numbers)}@example.com"
    Suppression.add(sender.id if sender else None, [address], reason)
    return Suppression.select().order_by(Suppression.id.desc()).get()
