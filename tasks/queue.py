"""The queue between web and workers. It carries wake-ups, which name no task: the rows are the truth."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString, TypeVar

import psycopg
from huey import Huey
from huey.api import Task
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import BaseSqlStorage, BaseStorage, PostgresStorage, PriorityRedisExpireStorage
from itsdangerous import BadSignature, Signer
from psycopg.sql import SQL, Identifier

from tasks.engine import wakeup
from webapp import db
from webapp.db.cursor import Row
from webapp.db.postgres_connection import Connection
from webapp.lib.circuit_breaker import Breaker, NotAsked
from webapp.lib.outage import Outage
from webapp.lib.queue_file import QueueFile
from webapp.lib.redis_pool import Client, redis_pool

log = logging.getLogger(__name__)

NAME = "errand"
RETRY_FAILURES_WITHIN = 0.2  # seconds: mostly a kept connection that had died, so the question is asked once more
WAIT_FOR_TURN = 1.5  # seconds
LISTEN_CHECK_EVERY = 10.0  # seconds
Result = TypeVar("Result")


class SignedJson(Serializer):
    """Messages as signed JSON: whoever can write to the queue still cannot run code.

    A message is a function's name, an id, a priority and plain arguments.
    """

    def __init__(self, secret_keys: str | Sequence[str]) -> None:
        super().__init__()
        self._signer = Signer(secret_keys, salt="errand.queue", digest_method="sha256", key_derivation="hmac")

    def _serialize(self, data: Message) -> bytes:
        return self._signer.sign(json.dumps([data.id, data.name, data.priority, *data.args]).encode())

    def _deserialize(self, data: bytes) -> Message:
        """Raises ValueError for anything that was not signed with one of these keys."""
        try:
            message_id, name, priority, *args = json.loads(self._signer.unsign(bytes(data)))
        except BadSignature as error:
            raise ValueError("a message in the queue has a wrong signature") from error
        return Message(
            id=message_id, name=name, retries=0, retry_delay=0, priority=priority, args=tuple(args), kwargs={}
        )


class _PostgresStorage(PostgresStorage):
    """Huey's, in the site's own database and with the deadlines of its connections."""

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[psycopg.Cursor[Row]]:
        """A cursor. A thread that waits for the only connection counts as one that waits for the database."""
        with db.place(), super().db(commit, close) as cursor:
            yield cursor

    _taken = 0  # the id of the latest message that this process took

    def _dequeue(self) -> bytes | None:
        """A message, if there is one: the next after the latest, and where there is none, any.

        All say the same. While a backup holds a snapshot open, the entries of those that were taken stay in the index,
        and a search from the beginning would pass them all.
        """
        return self._take("priority = 0 AND id > %s", self._taken) or self._take("id > %s", 0)

    def _take(self, which: LiteralString, after: int) -> bytes | None:
        table, mine = Identifier(self.table_task), SQL("queue = %s AND " + which)
        first = SQL("SELECT id FROM {} WHERE {} ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED")
        taking = SQL("DELETE FROM {} WHERE id = ({}) RETURNING id, data").format(table, first.format(table, mine))
        with self.db() as cursor:
            row = cursor.execute(taking, (self.name, after)).fetchone()
        if row is None:
            return None
        self._taken = int(row[0])
        return bytes(row[1])

    @property
    def conn(self) -> Connection:
        """The connection of all threads, or a new one if that may be dead."""
        if self._conn is not None and self._conn.is_stale:
            self._conn.close()
        connection: Connection = super().conn
        return connection

    def _listen_conn(self) -> Connection:
        """The connection on which this thread listens. It is asked something now and then, to notice when it died."""
        conn: Connection = super()._listen_conn()
        now = time.monotonic()
        if now - getattr(self._listen_local, "asked_at", 0.0) > LISTEN_CHECK_EVERY:
            conn.execute("SELECT 1")
            self._listen_local.asked_at = now
        return conn


class Queue(Huey):
    """A Huey whose storage is chosen by `configure`; until then it can declare tasks but not carry messages.

    A storage that does not answer costs a caller that sends or counts messages one wait; for some seconds after that,
    calls fail at once with NotAsked. So do calls that would wait for those of other threads for longer than
    WAIT_FOR_TURN.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._use_breaker()

    def create_storage(self) -> None:
        """None yet: importing a module opens no file and no connection."""
        return None

    def configure(self, secret_keys: str | Sequence[str], file: Path, redis_url: str | None = None) -> None:
        """Use the Redis at a URL; without one the database, where that is PostgreSQL, and else a file of its own.

        Opens no connection and no file. The database must have been configured by then, for its deadlines hold for the
        queue, too. The queue's tables must have been made by `create_tables`. The last of the keys signs messages.
        """
        self.serializer = SignedJson(secret_keys)
        self.storage = _storage(file, redis_url)
        self._use_breaker()

    def _use_breaker(self) -> None:
        self.outage = Outage(log, "The queue does not answer", "The queue answers again")
        self._breaker = Breaker(self.outage)
        # A storage in a database has one connection, for which Huey lets threads wait for ever.
        self._turn = threading.Lock() if isinstance(self.storage, BaseSqlStorage) else None

    def enqueue(self, task: Task) -> None:
        """Send a message. Raises when the storage does not answer; it may then have taken the message all the same."""
        self._ask(lambda: super(Queue, self).enqueue(task))

    def pending_count(self, most: int = 0) -> int:
        """How many messages wait; `most` of them are looked at, if given. Raises when the storage does not answer."""
        return int(self._ask((lambda: len(self.storage.enqueued_items(most))) if most else super().pending_count))

    def is_revoked(self, *_: object, **__: object) -> bool:
        """Always False, without asking the storage: the task's row decides."""
        return False

    def delete(self, _: str) -> bool:
        """Does nothing: the storage keeps messages and no results."""
        return False

    def _ask(self, question: Callable[[], Result]) -> Result:
        with self._in_turn(), self._breaker:
            begun = time.monotonic()
            try:
                return question()
            except Exception:
                if time.monotonic() - begun > RETRY_FAILURES_WITHIN:
                    raise
            return question()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=WAIT_FOR_TURN):
            raise NotAsked("others wait for its answer")
        try:
            yield
        finally:
            self._turn.release()

    def create_tables(self) -> None:
        """Make the queue's tables where it needs any. A step of migrating: not safe for two callers at once."""
        if isinstance(self.storage, BaseSqlStorage):
            self.storage.initialize_schema()


class _RedisStorage(PriorityRedisExpireStorage):
    redis_client = Client


def _storage(file: Path, redis_url: str | None) -> BaseStorage:
    if redis_url:
        return _RedisStorage(NAME, connection_pool=redis_pool(redis_url), read_timeout=1)
    if db.is_postgres():
        return _PostgresStorage(NAME, connection=db.connect_to_postgres, read_timeout=1, create_tables=False)
    return QueueFile(NAME, filename=str(file), create_tables=False)


huey = Queue(NAME, results=False)
wakeup.send_by(huey)
