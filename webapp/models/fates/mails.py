"""What becomes of somebody's mails to many."""

from collections.abc import Callable
from typing import Any

from webapp.models import Delivery, MailCount, Mailing, MailingFile, StoredAttachment, Suppression
from webapp.models.fates.fate import GONE, Due, Fate, Fates, of

MAILS_AT_ONCE = 500  # whose files and deliveries are deleted, and then they themselves


def _next_mails(field: Any) -> Callable[[Due], Any]:
    """The rows whose field is one of the MAILS_AT_ONCE mails that are next: to look at all of them, for each batch,
    would take longer the more there are."""

    def theirs(due: Due) -> Any:
        mails = Mailing.select(Mailing.id).where(of(Mailing.user)(due))
        # In the order of an index, so that a mail is among the next until it is deleted.
        return field.in_(mails.order_by(Mailing.user, Mailing.created_at, Mailing.id).limit(MAILS_AT_ONCE))

    return theirs


ROWS: Fates = {
    Suppression: Fate(f"{GONE}; whoever asked not to be mailed by others still is not", of(Suppression.sender)),
    MailingFile: Fate("deleted with its mail", _next_mails(MailingFile.mailing)),
    Delivery: Fate("deleted with its mail", _next_mails(Delivery.mailing)),
    MailCount: Fate(GONE, of(MailCount.user)),
    Mailing: Fate(GONE, _next_mails(Mailing.id)),
    StoredAttachment: Fate("deleted with its attachment, by a trigger"),
}
