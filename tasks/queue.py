"""The queue between web and workers. It carries the id of a task and nothing else: a doorbell, never the truth."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huey import Huey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import BaseSqlStorage, PostgresStorage, PriorityRedisExpireStorage, SqliteStorage
from itsdangerous import BadSignature, Signer
from redis import ConnectionPool

from webapp import database
from webapp.settings import Settings

NAME = "errand"
LISTENS_UNASKED = 10.0  # seconds


class SignedJson(Serializer):
    """Messages as signed JSON. Whoever can write to the queue can still not run code, nor name a task of their own.

    Only what Errand sends fits: a function's name, the message's id, its priority and plain arguments.
    """

    def __init__(self, secret_key: str) -> None:
        super().__init__()
        self._signer = Signer(secret_key, salt="errand.queue", digest_method="sha256", key_derivation="hmac")

    def _serialize(self, data: Message) -> bytes:
        return self._signer.sign(json.dumps([data.id, data.name, data.priority, *data.args]).encode())

    def _deserialize(self, data: bytes) -> Message:
        """Raises ValueError for anything that was not signed with this key."""
        try:
            message_id, name, priority, *args = json.loads(self._signer.unsign(bytes(data)))
        except BadSignature as error:
            raise ValueError("a message in the queue has a wrong signature") from error
        return Message(
            id=message_id, name=name, retries=0, retry_delay=0, priority=priority, args=tuple(args), kwargs={}
        )


class _PostgresStorage(PostgresStorage):
    """Huey's, with the deadlines of the database's connections, which it is."""

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[Any]:
        """A cursor. Whoever waits for another thread to be done with the only connection has a place meanwhile."""
        with database.place(), super().db(commit, close) as cursor:
            yield cursor

    @property
    def conn(self) -> Any:
        """The connection of all threads, or a new one if it is not to be trusted any more."""
        if self._conn is not None and self._conn.is_stale:
            self._conn.close()
        return super().conn

    def _listen_conn(self) -> Any:
        """The connection on which this thread listens. Nothing is ever asked on it, so it would not be missed."""
        conn, now = super()._listen_conn(), time.monotonic()
        if now - getattr(self._listen_local, "asked_at", 0.0) > LISTENS_UNASKED:
            conn.execute("SELECT 1")
            self._listen_local.asked_at = now
        return conn


class Queue(Huey):
    """A Huey whose storage is chosen by `configure`; until then it can declare tasks but not carry messages."""

    def create_storage(self) -> None:
        """Nothing yet: importing a module opens no file and no connection."""
        return None

    def configure(self, settings: Settings) -> None:
        """Use the storage that the settings name: Redis, else the PostgreSQL database, else a file of its own.

        Opens no connection and no file. The database must have been configured by then, for its deadlines hold for the
        queue, too. The queue's tables must have been made by `create_tables`.
        """
        self.serializer = SignedJson(settings.secret_key)
        self.storage = _storage(settings)

    def create_tables(self) -> None:
        """Make the queue's tables where it needs any. Not safe to call by two at once: it is a step of migrating."""
        if isinstance(self.storage, BaseSqlStorage):
            self.storage.initialize_schema()


def _storage(settings: Settings) -> Any:
    if settings.redis_url:
        # A Redis that hangs must not hold a person's request for long; and waiting for a message takes a second.
        pool = ConnectionPool.from_url(settings.redis_url, socket_timeout=3, socket_connect_timeout=2)
        return PriorityRedisExpireStorage(NAME, connection_pool=pool, read_timeout=1)
    if settings.database_url.startswith("postgres"):
        return _PostgresStorage(NAME, connection=database.connect_to_postgres, read_timeout=1, create_tables=False)
    return SqliteStorage(NAME, filename=str(settings.queue_file), create_tables=False)


huey = Queue(NAME, results=False)
