"""Failure groups: what attempts of one cause have in common, so that people see causes and not a million tasks.

`TaskRow.fingerprint` says by which cause a task has failed, or awaits another attempt; nothing while none has. So the
tasks of a group are counted in their own rows, and a group's row is no counter: it is written when the cause is new,
and then again once in TOUCH_EVERY at most, however many fail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from peewee import CharField, DateTimeField, TextField, fn

from tasks.engine.config import config
from tasks.engine.models.row import TaskRow
from webapp.db import BaseModel, Untyped, database
from webapp.lib.error_shape import LEFT_OUT, LONGEST, ErrorShape, shape_of_words
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow

TOUCH_EVERY = timedelta(minutes=1)
MOST_OF_A_KIND = 200  # groups with messages of their own; what comes beyond is told apart by exception and place alone


class FailureGroup(BaseModel):
    """A cause by which tasks of one kind fail. It holds no values of programs: see `webapp.lib.error_shape`."""

    fingerprint = CharField(primary_key=True, max_length=16)
    kind = CharField(max_length=60, help_text="the task function")
    exception = CharField(max_length=LONGEST, help_text="empty where it was none: a time-out, a crash")
    place = CharField(max_length=LONGEST, help_text="file:function")
    message = CharField(max_length=LONGEST, help_text="without what differs")
    traceback = TextField(help_text="of the latest that was written here; without values")
    first_at = DateTimeField()
    first_release = CharField(max_length=40)
    last_at = DateTimeField(help_text="to a minute")
    last_release = CharField(max_length=40)

    class Meta:
        table_name = "failure_groups"
        indexes = ((("last_at",), False), (("kind", "last_at"), False))

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that no task has any more, and that are older than tasks are kept."""
        old = cls.last_at < utcnow() - config().keep_tasks
        has_tasks = fn.EXISTS(TaskRow.select(TaskRow.id).where(TaskRow.fingerprint == cls.fingerprint))
        some = cls.select(cls.fingerprint).where(old, ~has_tasks).order_by(cls.last_at).limit(at_once)
        return int(cls.delete().where(cls.fingerprint.in_(some)).execute())


@contextmanager
def failing(task: TaskRow, words: Words, shape: ErrorShape | None = None) -> Iterator[str]:
    """A transaction in which a task fails, or an attempt of it: yields its fingerprint, for its row.

    Its cause is of that `shape`, or where there is none that of the `words`. Its group is written last, so what fails
    together locks one group. A small read, and a write where the group is new or was not written for a minute; two
    reads more where it is new.
    """
    shape = shape or shape_of_words(words)
    with database.transaction():
        now, fingerprint = utcnow(), shape.fingerprint(task.name)
        written_at = _written_at(fingerprint)
        if written_at is None and _has_enough(task.name):
            shape = ErrorShape(shape.type, shape.place, LEFT_OUT, shape.traceback)
            fingerprint = shape.fingerprint(task.name)
            written_at = _written_at(fingerprint)
        yield fingerprint
        # From a clock that was ahead, it is written again once that time has come.
        if written_at is None or abs(now - written_at) >= TOUCH_EVERY:
            _write(fingerprint, task.name, shape)


def _written_at(fingerprint: str) -> datetime | None:
    group = FailureGroup.select(FailureGroup.last_at).where(FailureGroup.fingerprint == fingerprint).first()
    return group.last_at if group else None


def _has_enough(kind: str) -> bool:
    some = FailureGroup.select(FailureGroup.fingerprint).where(FailureGroup.kind == kind).limit(MOST_OF_A_KIND)
    return len(list(some)) >= MOST_OF_A_KIND


def _write(fingerprint: str, kind: str, shape: ErrorShape) -> None:
    group, now, release = FailureGroup, utcnow(), config().release
    latest: dict[Untyped, object] = {group.message: shape.message, group.traceback: shape.traceback}
    latest |= {group.last_at: now, group.last_release: release}
    first: dict[Untyped, object] = {group.fingerprint: fingerprint, group.kind: kind}
    first |= {group.exception: shape.type, group.place: shape.place}
    first |= {group.first_at: now, group.first_release: release}
    group.insert(first | latest).on_conflict(conflict_target=(group.fingerprint,), update=latest).execute()
