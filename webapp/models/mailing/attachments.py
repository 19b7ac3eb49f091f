"""MailingFile: a file that goes with a mail; and a mailing's files."""

from typing import Any

from peewee import AutoField, BlobField, CharField, DeferredForeignKey, IntegerField, ModelSelect

from webapp.db import BaseModel, database
from webapp.models.mailing.row import MailingTrait
from webapp.models.storage_count import demand_room
from webapp.models.user import User

FILE_NAME_LENGTH = 200


class MailingFile(BaseModel):
    """A file that goes with a mail, whole. Rows of `files` come without their data; `read` fetches it."""

    id = AutoField()
    mailing: Any = DeferredForeignKey("Mailing", backref="attachments", on_delete="CASCADE")
    name = CharField(max_length=FILE_NAME_LENGTH)
    content_type = CharField(max_length=100)
    size = IntegerField(help_text="bytes")
    data = BlobField()

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[MailingFile]":
        """The files that this person may see: those of their mails. Without their data, each with its mail."""
        mailing = cls.mailing.rel_model
        return cls.select(*cls.lean(), mailing).join(mailing).where(mailing.user == user)

    @classmethod
    def lean(cls) -> tuple[Any, ...]:
        """All columns but the data."""
        return cls.id, cls.mailing, cls.name, cls.content_type, cls.size

    def read(self) -> bytes:
        """The file's content."""
        return bytes(MailingFile.select(MailingFile.data).where(MailingFile.id == self.id).scalar())


class Attachments(MailingTrait):
    """The files of a mailing, in order."""

    def attach(self, name: str, content_type: str, data: bytes) -> None:
        """Add a file, unless it has that very file already. Raises OverQuota where its writer has no room for it."""
        for file in self.files():
            if (file.name, file.size) == (name, len(data)) and file.read() == data:
                return
        with database.atomic():
            demand_room(self.user, len(data))
            MailingFile.create(mailing=self, name=name, content_type=content_type, size=len(data), data=data)

    def files(self) -> "list[MailingFile]":
        """Its attachments in order, without their data."""
        return list(
            MailingFile.select(*MailingFile.lean()).where(MailingFile.mailing == self.id).order_by(MailingFile.id)
        )
