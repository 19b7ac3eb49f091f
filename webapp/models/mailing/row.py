"""MailingRow: the columns of a mailing, and what can be read from them."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, IntegerField, TextField

from tasks.engine.models.task import Task
from webapp.db import BaseModel
from webapp.db.traits import Trait, hide_references
from webapp.lib.times import utcnow
from webapp.models.user import User

SUBJECT_LENGTH = 200
BODY_LENGTH = 20_000

BY_PROGRAMS = "program-"  # in the draft_key of a draft that a program has begun
# What is copied when a mail is changed: what its writer says of it.
WRITTEN = ("recipients", "subject", "template", "body", "send_at")


class MailingRow(BaseModel):
    """A row of `mailings`. What changes it are the traits of `Mailing`."""

    is_changed: bool  # of those that `Mailing.of` finds

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    user_id: int
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE", help_text="what sends it; null for a draft")
    task_id: UUID | None
    original = ForeignKeyField("self", null=True, on_delete="CASCADE", help_text="the mail that a draft is to replace")
    original_id: int | None
    draft_key = CharField(max_length=40, null=True, unique=True, help_text="whose draft of what; null once it is none")
    form_key = CharField(max_length=32, default="", help_text="the form it was written in, to know a second press")
    change_key = CharField(max_length=32, null=True, help_text="the same of its latest change while it was scheduled")
    recipients = TextField(default="", help_text="as they were typed")
    people = IntegerField(null=True, help_text="to how many a draft goes, as it was last saved; null if unknown")
    subject = CharField(max_length=SUBJECT_LENGTH, default="")
    template = CharField(max_length=40, default="welcome")
    body = TextField(default="")
    send_at = DateTimeField(null=True, help_text="naive UTC; null is at once")
    text = TextField(default="", help_text="what is sent, from when its sending began")
    html = TextField(default="")
    created_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "mailings"
        indexes = ((("user", "created_at", "id"), False),)

    @property
    def is_draft(self) -> bool:
        """Whether it is still being written."""
        return self.draft_key is not None

    @property
    def is_by_program(self) -> bool:
        """Whether it is a draft that a program has begun: one of several, and not the one of its person."""
        return BY_PROGRAMS in (self.draft_key or "")

    @property
    def text_size(self) -> int:
        """How many bytes its texts have, as far as this object knows them."""
        return sum(len(text.encode()) for text in (self.recipients, self.body, self.text, self.html))

    def is_same_draft(self) -> tuple[Any, ...]:
        """The condition that the row is still this draft, of this form: SQLite reuses the ids of deleted rows."""
        model = type(self)
        return model.id == self.id, model.draft_key == self.draft_key, model.form_key == self.form_key


hide_references(MailingRow)

if TYPE_CHECKING:
    MailingTrait = MailingRow
else:
    MailingTrait = Trait
