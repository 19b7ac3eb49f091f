"""The queue between web and workers. It carries the id of a task and nothing else: a doorbell, never the truth."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from huey import Huey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import BaseSqlStorage, PostgresStorage, PriorityRedisExpireStorage
from itsdangerous import BadSignature, Signer

from webapp import db
from webapp.lib.circuit_breaker import Breaker, NotAsked
from webapp.lib.outage import Outage
from webapp.lib.queue_file import QueueFile
from webapp.lib.redis_pool import Client, redis_pool
from webapp.settings import Settings

log = logging.getLogger(__name__)

NAME = "errand"
AT_ONCE = 0.2  # seconds: what fails sooner is tried again, as mostly it was a kept connection that had died
TURN_WITHIN = 1.5  # seconds
LISTENS_UNASKED = 10.0  # seconds
Result = TypeVar("Result")


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
        with db.place(), super().db(commit, close) as cursor:
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
    """A Huey whose storage is chosen by `configure`; until then it can declare tasks but not carry messages.

    A storage that does not answer costs whoever sends or counts messages one wait; then, for some seconds, they fail at
    once with NotAsked. So does who would have to wait for others' questions to a database for longer than TURN_WITHIN.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._watch_over_storage()

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
        self._watch_over_storage()

    def _watch_over_storage(self) -> None:
        self.outage = Outage(log, "The queue does not answer", "The queue answers again")
        self._breaker = Breaker(self.outage)
        # A storage in a database has one connection, for which Huey lets threads wait for ever.
        self._turn = threading.Lock() if isinstance(self.storage, BaseSqlStorage) else None

    def enqueue(self, task: Any) -> None:
        """Send a message. Raises when the storage does not answer; it may then have taken the message all the same."""
        self._ask(lambda: super(Queue, self).enqueue(task))

    def pending_count(self) -> int:
        """How many messages wait. Raises when the storage does not answer."""
        return int(self._ask(super().pending_count))

    def is_revoked(self, *_: Any, **__: Any) -> bool:
        """Never, and the storage is not asked: what becomes of a task is said by its row."""
        return False

    def delete(self, _: str) -> bool:
        """Nothing, and the storage is not asked: it keeps messages and nothing else."""
        return False

    def _ask(self, question: Callable[[], Result]) -> Result:
        with self._in_turn(), self._breaker:
            begun = time.monotonic()
            try:
                return question()
            except Exception:
                if time.monotonic() - begun > AT_ONCE:
                    raise
            return question()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=TURN_WITHIN):
            raise NotAsked("others wait for its answer")
        try:
            yield
        finally:
            self._turn.release()

    def create_tables(self) -> None:
        """Make the queue's tables where it needs any. Not safe to call by two at once: it is a step of migrating."""
        if isinstance(self.storage, BaseSqlStorage):
            self.storage.initialize_schema()


class _RedisStorage(PriorityRedisExpireStorage):
    redis_client = Client


def _storage(settings: Settings) -> Any:
    if settings.redis_url:
        return _RedisStorage(NAME, connection_pool=redis_pool(settings.redis_url), read_timeout=1)
    if settings.database_url.startswith("postgres"):
        return _PostgresStorage(NAME, connection=db.connect_to_postgres, read_timeout=1, create_tables=False)
    return QueueFile(NAME, filename=str(settings.queue_file), create_tables=False)


huey = Queue(NAME, results=False)
