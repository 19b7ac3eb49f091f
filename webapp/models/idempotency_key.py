"""IdempotencyKey: a request that a program sent with a key of its own, and what was answered, so that the same request
sent again makes nothing more and has the same answer."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Self
from zlib import crc32

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, Select, TextField, fn

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database, locks_rows
from webapp.lib import sealing
from webapp.lib.times import utcnow
from webapp.models.user import User

KEEP = timedelta(days=1)
LOCKS = 1_204_664_087  # the number of these among PostgreSQL's advisory locks


class InProgress(Exception):
    """The same key is in use by a request that has not ended."""


class IdempotencyKey(BaseModel):
    """One row for each key of a person, written in the transaction of what it made, and gone after KEEP.

    The answer is sealed by the key, which is not stored: without it nobody reads what may be deleted by now.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    user_id: int
    key = CharField(max_length=64, help_text="a digest of the key")
    request = CharField(max_length=64, help_text="a digest of what was asked for")
    answer = TextField(default="", help_text="what was answered, sealed by the key")
    at = DateTimeField(default=utcnow, index=True)

    class Meta:
        table_name = "idempotency_keys"
        indexes = ((("user", "key"), True),)

    @classmethod
    def find(cls, user_id: int, key: str) -> Self | None:
        """What came of a person's key; None if nothing has. One query."""
        return cls.get_or_none(cls.user == user_id, cls.key == _digest(key))

    @classmethod
    def once(cls, user_id: int, key: str, request: str, make: Callable[[], str]) -> Self | None:
        """Keep the answer that `make` returns, in one transaction with it and with the key; None then.

        The row, and nothing made, for a key that was used before. Two writes; on PostgreSQL a query before them, so
        that of two at once the second raises InProgress, and waits for nothing: on SQLite it waits as any writer.
        What `make` raises undoes all, and the key is free again.
        """
        digest = _digest(key)
        with database.atomic():
            if locks_rows() and not _is_alone(user_id, digest):
                raise InProgress
            kept = {"user": user_id, "key": digest, "request": request}
            if not cls.insert(kept).on_conflict_ignore().as_rowcount().execute():
                return cls.find(user_id, key)
            answer = sealing.seal(make(), key=key, purpose=_purpose(user_id))
            cls.update(answer=answer).where(cls.user == user_id, cls.key == digest).execute()
        return None

    def unseal(self, key: str) -> str:
        """What was answered, by the very key. Raises CannotUnseal for another one."""
        return sealing.unseal(self.answer, keys=(key,), purpose=_purpose(self.user_id))

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Forget at most so many of those that are older than KEEP; returns how many that were."""
        old = cls.select(cls.id).where(cls.at < utcnow() - KEEP).order_by(cls.at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _purpose(user_id: int) -> bytes:
    return b"answer to a request of user %d, version 1" % user_id


def _is_alone(user_id: int, digest: str) -> bool:
    """Whether this transaction alone has that key, until it ends."""
    number = crc32(f"{user_id} {digest}".encode())
    locked = Select(columns=[fn.pg_try_advisory_xact_lock(LOCKS, number - 2**31)])
    return bool(database.execute(locked).fetchone()[0])


also_purge(IdempotencyKey, IdempotencyKey.purge)
