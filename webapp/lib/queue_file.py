"""The embedded queue's file: Huey's SQLite storage, which replaces a file that is lost or damaged.

Its messages are then gone, as from an emptied Redis, and no task is lost: messages only wake workers up, and the
sweeper sends new ones for all waiting tasks.
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from huey.storage import SqliteStorage

log = logging.getLogger(__name__)

# https://www.sqlite.org/rescode.html
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class QueueFile(SqliteStorage):
    """Huey's queue in a SQLite file. The query that meets a damaged file fails; the next one has a new file."""

    _opened: tuple[int, int] | None = None  # device and inode of the open file, whatever its name is by now

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[sqlite3.Cursor]:
        """A cursor, as Huey's own. Raises sqlite3.DatabaseError if the file turns out to be damaged."""
        if self._conn is not None and self._opened != _identity(self.filename):
            self.close()  # the file was removed or replaced
        try:
            with super().db(commit, close) as cursor:
                yield cursor
        except sqlite3.DatabaseError as error:
            if _says_damaged(error):
                self.close()  # the next query opens it again, and checks it
            raise

    def initialize_schema(self) -> None:
        """Create the tables, in a new file unless this one is intact. Of several processes at once, one does it."""
        lock = os.open(f"{self.filename}-mending", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.exists(self.filename) and not self._is_intact():
                log.warning("%s is damaged, and is made anew: tasks that wait get new messages", self.filename)
                for end in ("", "-wal", "-shm", "-journal"):
                    with suppress(FileNotFoundError):
                        os.unlink(f"{self.filename}{end}")
            with closing(super()._create_connection()) as connection:
                for statement in self.ddl:
                    connection.execute(statement)
        finally:
            os.close(lock)

    def _is_intact(self) -> bool:
        with closing(sqlite3.connect(self.filename, timeout=self._timeout)) as connection:
            try:
                return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
            except sqlite3.DatabaseError as error:
                if not _says_damaged(error):
                    raise
                return False

    def _create_connection(self) -> sqlite3.Connection:
        try:
            connection = self._open_checked()
        except sqlite3.DatabaseError as error:
            if not _says_damaged(error):
                raise
            self.initialize_schema()
            connection = self._open_checked()
        self._opened = _identity(self.filename)
        return connection

    def _open_checked(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._create_connection()
        try:
            connection.execute("SELECT 1 FROM task LIMIT 1")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection


def _says_damaged(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is no queue: not a database, a damaged one, or a new one without tables."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED or "no such table" in str(error)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
