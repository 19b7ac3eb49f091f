"""What a person gets of the mails that they sent from here, or began to write."""

from collections.abc import Iterator, Mapping
from typing import Any

from peewee import Model, ModelSelect

from tasks.lib.exported.reasons import INNER, YOURS
from tasks.lib.exported.row import Column, Content, Excused, Exported, Inside, Row
from webapp.lib.filenames import safe_name
from webapp.models import Delivery, MailCount, Mailing, MailingFile, StoredAttachment, Suppression, User


def _files(user: User) -> "ModelSelect[Any]":
    return MailingFile.visible_to(user).order_by(MailingFile.id)


def _path(file: MailingFile) -> str:
    return f"files/mails/{file.__data__['mailing']}/{file.id}/{safe_name(file.name)}"


def _pieces(file: MailingFile, first: int) -> Iterator[bytes]:
    if not first:
        yield file.read()


ROWS: Mapping[type[Model], Row] = {
    Mailing: Exported(
        file="mails.json",
        title="your emails and drafts",
        words="Emails that you wrote here to others.",
        of=lambda user: [
            # Not by time, which is another once a draft is sent.
            Mailing.select(Mailing.id).where(Mailing.user == user.id).order_by(Mailing.id)
        ],
        columns={
            "id": Column("the number of the email"),
            "user": YOURS,
            "task": Column("the id of the task that sends it; null for a draft"),
            "original": Column("the number of the email that a draft is to replace"),
            "draft_key": INNER,
            "form_key": INNER,
            "change_key": INNER,
            "recipients": Column("the recipients, as you typed them"),
            "people": Column("how many people a draft goes to"),
            "subject": Column("its subject"),
            "template": Column("its layout"),
            "body": Column("its text, as you typed it"),
            "send_at": Column("when you wanted it sent; null is at once"),
            "text": Column("the text as it was sent"),
            "html": Column("the same in HTML"),
            "created_at": Column("when you sent it or began to write it"),
        },
        more={"is_draft": Column("whether you are still writing it", value=lambda mailing: mailing.is_draft)},
    ),
    Delivery: Inside(
        parent=Mailing,
        name="deliveries",
        words="each recipient, and what became of the email to them",
        of=lambda mailing: Delivery.select().where(Delivery.mailing == mailing.id),
        columns={
            "id": INNER,
            "mailing": Excused("It is the email in which it stands."),
            "address": Column("the address"),
            "state": Column("waiting, sending, sent, refused or failed"),
            "skipped": Column("why it was left out, if it was"),
            "error": Column("why it wasn't delivered"),
            "tries": Column("how often it was tried"),
            "tried_at": Column("when it was last tried"),
            "message_id": Column("its Message-ID, without the domain"),
        },
    ),
    MailingFile: Exported(
        file="attachments.json",
        title="the list of your attachments",
        of=lambda user: [_files(user)],
        columns={
            "id": Column("the number of the file"),
            "mailing": Column("the number of its email", name="mail"),
            "name": Column("its name"),
            "content_type": Column("the type of its content"),
            "size": Column("its size in bytes"),
            "data": Excused("The content is a file of this ZIP file, at its path."),
        },
        more={"path": Column("where it is in this ZIP file", value=_path)},
        content=Content(of=_files, path=_path, pieces=_pieces, size=MailingFile.size),
    ),
    MailCount: Exported(
        file="mail_counts.json",
        title="how many people you emailed",
        words="What your daily limit is counted by.",
        of=lambda user: [MailCount.select().where(MailCount.user == user.id).order_by(MailCount.at, MailCount.id)],
        columns={
            "id": INNER,
            "user": YOURS,
            "mailing": Column("the number of the email; null if you deleted it", name="mail"),
            "number": Column("how many people"),
            "at": Column("when"),
            "is_of_sent": INNER,
        },
    ),
    Suppression: Exported(
        file="suppressed_addresses.json",
        title="the addresses that get no email from you",
        of=lambda user: [Suppression.select().where(Suppression.sender == user.id).order_by(Suppression.id)],
        columns={
            "id": INNER,
            "sender": YOURS,
            "address": Column("the address"),
            "reason": Column("unsubscribed, refused by its mail server, or entered by you"),
            "created_at": Column("since when"),
        },
    ),
    StoredAttachment: Excused(
        "Where your attachments are found for the list of your files; they are in attachments.json."
    ),
}
