"""What becomes of what an account itself is, and of what it was told."""

from typing import Any

from webapp.models import (
    AccountMail,
    ApiToken,
    EmailChange,
    FormerName,
    FormKey,
    HeldTask,
    IdempotencyKey,
    NoticeCount,
    Notification,
    OutcomeMail,
    Picture,
    PictureUpload,
    RecoveryCode,
    Session,
    Suspension,
)
from webapp.models.fates.fate import GONE, Due, Fate, Fates, of


def _mails_to(due: Due) -> Any:
    """Mails about the accounts, and requests that somebody typed an address of theirs into."""
    addresses = [each.email for each in due if each.email]
    theirs = of(AccountMail.user)(due)
    return theirs | (AccountMail.user.is_null() & AccountMail.address.in_(addresses)) if addresses else theirs


ROWS: Fates = {
    HeldTask: Fate("deleted with the suspension"),
    Suspension: Fate(GONE, of(Suspension.user)),
    Session: Fate(GONE, of(Session.user)),
    ApiToken: Fate(GONE, of(ApiToken.user)),
    RecoveryCode: Fate(GONE, of(RecoveryCode.user)),
    EmailChange: Fate(GONE, of(EmailChange.user)),
    OutcomeMail: Fate(GONE, of(OutcomeMail.user)),
    AccountMail: Fate(f"{GONE}, also a request with the address", _mails_to),
    Notification: Fate(f"{GONE}, also others’ that name the account", of(Notification.user, Notification.sender)),
    NoticeCount: Fate(GONE, of(NoticeCount.user)),
    FormerName: Fate(GONE, of(FormerName.user)),
    Picture: Fate(GONE, of(Picture.user)),
    PictureUpload: Fate(GONE, of(PictureUpload.user)),
    FormKey: Fate(f"{GONE}; those of others that lead to the account go with the last batch", of(FormKey.user)),
    IdempotencyKey: Fate(GONE, of(IdempotencyKey.user)),
}
