"""Report: what somebody finds wrong with a post or a message, for those who look after the site."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from peewee import (
    SQL,
    AutoField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    ModelSelect,
    TextField,
)

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import message_changes, quotas
from webapp.models.message import Message
from webapp.models.post import Post
from webapp.models.user import User

WORDS_LENGTH = 500
KEPT_AFTER_CLOSING = timedelta(days=90)
OPEN, CLOSED = "open", "closed"
MOST_OPEN = 100  # that are counted


class Reason(StrEnum):
    """What may be wrong with it."""

    SPAM = "spam"
    HARASSMENT = "harassment"
    ILLEGAL = "illegal"
    OTHER = "other"


class Verdict(StrEnum):
    """What whoever looks after the site finds."""

    FINE = "fine"  # nothing is wrong with it
    DELETED = "deleted"  # it was, and what is deleted is the post or message
    HANDLED = "handled"  # otherwise, as by a suspension


class AlreadyClosed(Exception):
    """Somebody else has handled the report meanwhile."""


class AlreadyReported(Exception):
    """They have reported this, and nobody has handled it yet."""


class Report(BaseModel):
    """One of somebody's reports, with a copy of the text as it was, whatever becomes of that.

    `subject_id` and `subject_at` are the id of the post or message and when it was written: SQLite gives the id of a
    deleted row to another.
    """

    id = AutoField()
    reporter = ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+", help_text="null once they are gone")
    about = ForeignKeyField(User, on_delete="CASCADE", backref="+", help_text="who wrote it")
    about_id: int
    kind = CharField(max_length=10, help_text="post or message")
    subject_id = IntegerField()
    subject_at = DateTimeField()
    text = TextField(help_text="what it said")
    reason = CharField(max_length=12, help_text="in Reason")
    words = TextField(default="", help_text="what the reporter says of it")
    state = CharField(max_length=6, default=OPEN, help_text="open or closed")
    handler = ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+", help_text="who closed it")
    outcome = CharField(max_length=10, default="", constraints=[SQL("DEFAULT ''")], help_text="in Verdict, once closed")
    closed_at = DateTimeField(null=True, index=True)
    created_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "reports"
        indexes = ((("state", "created_at", "id"), False),)

    @classmethod
    def file(cls, reporter: User, subject: Post | Message, reason: Reason, words: str = "") -> "Report":
        """Keep a report of what somebody else wrote. Raises AlreadyReported, and OverQuota for a day."""
        if cls.is_open(reporter, subject):
            raise AlreadyReported
        about = subject.user_id if isinstance(subject, Post) else subject.sender_id
        quotas.use(Quota.REPORTS, reporter)
        said = {"text": subject.body, "reason": reason, "words": words}
        try:
            with database.atomic():
                return cls.create(reporter=reporter.id, about=about, **_key(subject), **said)
        except IntegrityError as error:  # twice at once
            raise AlreadyReported from error

    @classmethod
    def is_open(cls, reporter: User, subject: Post | Message) -> bool:
        """Whether somebody has reported this, and it has not been handled. One query, by index."""
        key = (getattr(cls, name) == value for name, value in _key(subject).items())
        return bool(cls.select().where(cls.reporter == reporter.id, cls.state == OPEN, *key).exists())

    @classmethod
    def open_ones(cls) -> "ModelSelect[Report]":
        """Those that nobody has handled, the oldest first, each with who wrote what is reported and who reported it."""
        about, reporter = User.alias(), User.alias()
        found = cls.select(cls, about, reporter).join_from(cls, about, on=cls.about)
        found = found.join_from(cls, reporter, "LEFT JOIN", on=cls.reporter)
        return found.where(cls.state == OPEN).order_by(cls.created_at, cls.id)

    @classmethod
    def count_open(cls) -> int:
        """How many nobody has handled; one more than MOST_OPEN at most. One query, by index."""
        some = cls.select(SQL("1").alias("one")).where(cls.state == OPEN).limit(MOST_OPEN + 1)
        return int(some.count())

    @classmethod
    def find(cls, report_id: int) -> "Report | None":
        """One of them, for those who look after the site. One query."""
        return cls.get_or_none(cls.id == report_id)

    @classmethod
    def closed_ones(cls) -> "ModelSelect[Report]":
        """Those that were handled, the latest first, each with who wrote what was reported, who reported it and who
        closed it. By index, to be paged by `closed_at`."""
        about, reporter, handler = User.alias(), User.alias(), User.alias()
        found = cls.select(cls, about, reporter, handler).join_from(cls, about, on=cls.about)
        found = found.join_from(cls, reporter, "LEFT JOIN", on=cls.reporter)
        found = found.join_from(cls, handler, "LEFT JOIN", on=cls.handler)
        return found.where(cls.closed_at.is_null(False)).order_by(cls.closed_at.desc(), cls.id.desc())

    def close(self, handler: User | None, verdict: Verdict) -> int:
        """Close it, and with it all that others have reported of the same post or message; returns how many that were.

        With Verdict.DELETED that is deleted, if it is still there. Raises AlreadyClosed. In one transaction; two
        writes, by index, besides the deletion.
        """
        cls = type(self)
        closed = {"state": CLOSED, "closed_at": utcnow(), "handler": handler and handler.id, "outcome": verdict}
        same = cls.kind == self.kind, cls.subject_id == self.subject_id, cls.subject_at == self.subject_at
        with database.atomic():
            if verdict is Verdict.DELETED and (subject := self.subject()):
                _delete(subject)  # first: it locks people
            if not cls.update(closed).where(cls.id == self.id, cls.state == OPEN).execute():
                raise AlreadyClosed
            others = cls.update(closed).where(cls.state == OPEN, *same).execute()
        return 1 + int(others)

    def subject(self) -> Post | Message | None:
        """What is reported, if it is still there. One query."""
        kind: Any = Post if self.kind == "post" else Message
        found: Post | Message | None = kind.get_or_none(kind.id == self.subject_id, kind.created_at == self.subject_at)
        return found

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that were closed long ago; returns how many that were."""
        long_ago = utcnow() - KEPT_AFTER_CLOSING
        old = cls.select(cls.id).where(cls.closed_at < long_ago).order_by(cls.closed_at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


def _key(subject: Post | Message) -> dict[str, Any]:
    return {"kind": type(subject).__name__.lower(), "subject_id": subject.id, "subject_at": subject.created_at}


def _delete(subject: Post | Message) -> None:
    if isinstance(subject, Post):
        subject.delete_instance()
    else:
        message_changes.delete(subject)


Report.add_index(Report.kind, Report.subject_id, where=Report.state == OPEN, name="reports_of_subject")
Report.add_index(
    Report.reporter,
    Report.kind,
    Report.subject_id,
    Report.subject_at,
    unique=True,
    where=Report.state == OPEN,
    name="reports_open",
)
also_purge(Report, Report.purge)
