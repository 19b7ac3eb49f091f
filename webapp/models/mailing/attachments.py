"""MailingFile: a file that goes with a mail; and a mailing's files."""

from typing import Any

from peewee import AutoField, BlobField, CharField, DeferredForeignKey, IntegerField, ModelSelect, fn

from webapp.db import BaseModel, database
from webapp.models.mailing.row import MailingRow, MailingTrait
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
        """The file's content; nothing if its owner has deleted it by now."""
        return bytes(MailingFile.select(MailingFile.data).where(MailingFile.id == self.id).scalar() or b"")


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

    def take_files_from(self, other: MailingRow) -> None:
        """Add copies of all the files of another mailing. Two queries a file. Raises OverQuota as `attach` does."""
        size = fn.COALESCE(fn.SUM(MailingFile.size), 0)
        demand_room(self.user, int(MailingFile.select(size).where(MailingFile.mailing == other.id).scalar()))
        for file in MailingFile.select().where(MailingFile.mailing == other.id).order_by(MailingFile.id).iterator():
            MailingFile.create(
                mailing=self, name=file.name, content_type=file.content_type, size=file.size, data=file.data
            )

    def files(self) -> "list[MailingFile]":
        """Its attachments in order, without their data."""
        return list(
            MailingFile.select(*MailingFile.lean()).where(MailingFile.mailing == self.id).order_by(MailingFile.id)
        )
