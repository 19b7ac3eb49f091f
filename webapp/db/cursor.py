"""The border of hand-written SQL: what a statement takes and what it gives, on SQLite as on PostgreSQL."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

Parameters: TypeAlias = Sequence[object]
Row: TypeAlias = Any  # type: ignore[explicit-any]  # a tuple whose types only its SQL knows


class Cursor(Protocol):
    """What sqlite3's cursors and psycopg's have in common, as far as anybody here needs it."""

    @property
    def rowcount(self) -> int:
        """How many rows a statement has written."""

    def fetchone(self) -> Row:
        """The next row; None where none is left."""

    def fetchall(self) -> list[Row]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Row]: ...
