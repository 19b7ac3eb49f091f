"""StoredAttachment: what a person's list of files needs to know of each file that goes with a mail."""

from peewee import BigIntegerField, DateTimeField, ForeignKeyField

from webapp.db import BaseModel
from webapp.models.mailing.attachments import MailingFile
from webapp.models.user_row import UserRow


class StoredAttachment(BaseModel):
    """Whose a file is, its size, and when its mail was begun. A trigger makes it with the file, which it goes with.

    So files are found in either order without a look at their rows, in which they have their data.
    """

    file = ForeignKeyField(MailingFile, on_delete="CASCADE", primary_key=True, backref="+")
    file_id: int
    user = ForeignKeyField(UserRow, on_delete="CASCADE", index=False, backref="+")
    size = BigIntegerField()
    created_at = DateTimeField()

    class Meta:
        table_name = "stored_attachments"
        indexes = ((("user", "size", "file"), False), (("user", "created_at", "file"), False))
