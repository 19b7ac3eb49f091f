"""The table of what becomes of each model's rows when an account is deleted. Whoever adds a model adds a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.lib.complete import complete
from webapp.models import (
    MODELS,
    AccountMail,
    Artifact,
    ArtifactChunk,
    Block,
    ChangeCount,
    Conversation,
    Delivery,
    EmailChange,
    ErrorReport,
    FormerName,
    FormKey,
    Leader,
    MailCount,
    Mailing,
    MailingFile,
    MailPace,
    Message,
    NoticeCount,
    Notification,
    OutcomeMail,
    Picture,
    PictureUpload,
    Post,
    RateCount,
    RecoveryCode,
    Report,
    Session,
    StorageCount,
    StoredAttachment,
    Suppression,
    Task,
    TaskEvent,
    User,
    Worker,
)
from webapp.models.deletion import Deletion

Due = Sequence[Deletion]
MAILS_AT_ONCE = 500  # whose files and deliveries are deleted, and then they themselves


@dataclass(frozen=True)
class Fate:
    """What becomes of rows, in words; and `theirs`, the condition for those of some accounts that batches delete.

    It takes the deletions of these accounts, and is found by index. None where a batch deletes none by itself.
    """

    words: str
    theirs: Callable[[Due], Any] | None = None


def _of(*fields: Any) -> Callable[[Due], Any]:
    """The rows that refer to one of the accounts by one of these."""

    def theirs(due: Due) -> Any:
        users = [each.user_id for each in due]
        found = fields[0].in_(users)
        for field in fields[1:]:
            found |= field.in_(users)
        return found

    return theirs


def _next_mails(field: Any) -> Callable[[Due], Any]:
    """The rows whose field is one of the MAILS_AT_ONCE mails that are next: to look at all of them, for each batch,
    would take longer the more there are."""

    def theirs(due: Due) -> Any:
        mails = Mailing.select(Mailing.id).where(_of(Mailing.user)(due))
        # In the order of an index, so that a mail is among the next until it is deleted.
        return field.in_(mails.order_by(Mailing.user, Mailing.created_at, Mailing.id).limit(MAILS_AT_ONCE))

    return theirs


def _mails_to(due: Due) -> Any:
    """Mails about the accounts, and requests that somebody typed an address of theirs into."""
    addresses = [each.email for each in due if each.email]
    theirs = _of(AccountMail.user)(due)
    return theirs | (AccountMail.user.is_null() & AccountMail.address.in_(addresses)) if addresses else theirs


GONE = "deleted"
# In the order in which batches delete: what refers to other rows goes before these.
FATES = complete(
    "FATES",
    MODELS,
    {
        Session: Fate(GONE, _of(Session.user)),
        RecoveryCode: Fate(GONE, _of(RecoveryCode.user)),
        EmailChange: Fate(GONE, _of(EmailChange.user)),
        OutcomeMail: Fate(GONE, _of(OutcomeMail.user)),
        AccountMail: Fate(f"{GONE}, also a request with the address", _mails_to),
        Notification: Fate(f"{GONE}, also others’ that name the account", _of(Notification.user, Notification.sender)),
        NoticeCount: Fate(GONE, _of(NoticeCount.user)),
        FormerName: Fate(GONE, _of(FormerName.user)),
        Picture: Fate(GONE, _of(Picture.user)),
        PictureUpload: Fate(GONE, _of(PictureUpload.user)),
        Block: Fate(f"{GONE}, also others’ of the account", _of(Block.user, Block.blocked)),
        Report: Fate(f"{GONE} if about the account; of those by it, its row is what is left", _of(Report.about)),
        Suppression: Fate(f"{GONE}; whoever asked not to be mailed by others still is not", _of(Suppression.sender)),
        FormKey: Fate(f"{GONE}; those of others that lead to the account go with the last batch", _of(FormKey.user)),
        Post: Fate(GONE, _of(Post.user)),
        MailingFile: Fate("deleted with its mail", _next_mails(MailingFile.mailing)),
        Delivery: Fate("deleted with its mail", _next_mails(Delivery.mailing)),
        MailCount: Fate(GONE, _of(MailCount.user)),
        Mailing: Fate(GONE, _next_mails(Mailing.id)),
        Task: Fate("hidden from everybody, then deleted as what is old is, see `tasks.engine.retention`"),
        TaskEvent: Fate("deleted with its task"),
        Artifact: Fate("deleted with its task"),
        ArtifactChunk: Fate("deleted with its artifact"),
        StoredAttachment: Fate("deleted with its attachment, by a trigger"),
        StorageCount: Fate(GONE, _of(StorageCount.user)),
        ChangeCount: Fate(GONE, _of(ChangeCount.user)),
        Message: Fate("kept for the other person, as from a deleted account; deleted once both accounts are"),
        Conversation: Fate("as its messages, which keep it by triggers"),
        User: Fate("kept without name, address and all else, where others have messages from or to it; else deleted"),
        Deletion: Fate("deleted with the last batch"),
        RateCount: Fate(
            "forgotten once their windows are over, 30 days at most: digests and numbers, no name and no address"
        ),
        ErrorReport: Fate("kept: it has no values of programs"),
        MailPace: Fate("kept: it is about the mail server"),
        Leader: Fate("kept: it is about processes"),
        Worker: Fate("kept: it is about processes"),
    },
)
