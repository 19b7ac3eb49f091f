"""Searched rows: those among which a search looks, the newest first.

To read some of the newest costs the same however many rows there are and whatever is asked for. It finds words that are
common; and for a word that is not, an index has few rows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from webapp.db import database, fulltext
from webapp.lib.tokenization import Term

Place = tuple[datetime, int]  # of a row among others: its `created_at` and its id

FEW = 200  # newest rows, among which a word that is in a tenth of them is found at once
RECENT = 1000  # newest rows, which are read to learn which words are common
COMMON = 20  # of the RECENT rows that have a common word
SOME = 6  # of the RECENT rows that match where it costs less to read on than to ask GIN
SEARCHED = 10_000  # newest rows that are read where all words of a query are common
ALL = 2**62
_ORDER = "ORDER BY created_at DESC, id DESC"


class Hits(NamedTuple):
    """What a search has found: ids, the newest first; and where it stopped looking, if there are rows after that."""

    ids: list[int]
    end: Place | None = None


class Recent(NamedTuple):
    """The RECENT newest rows: when the newest and the last of them were created, and how many matched a query."""

    newest: datetime
    last: datetime
    matched: int

    def start(self, times: int) -> datetime:
        """The time from which on there are so many times as many rows, if they come evenly."""
        span = (self.newest - self.last) * times
        return self.newest - span if span < self.newest - datetime.min else datetime.min


@dataclass(frozen=True)
class SearchedRows:
    """The rows of a searched model, or those of one owner; all of them, or those after a place.

    What it finds is what `reader_id` sees, who may block people: nothing of them. That costs a look at who wrote each
    row that fits; without a reader, nothing.
    """

    model: Any
    owner_id: int | None = None
    after: Place | None = None
    reader_id: int | None = None

    @property
    def table(self) -> str:
        """Its name."""
        return str(self.model._meta.table_name)

    def with_all(self, terms: list[Term], limit: int, number: int) -> list[int]:
        """The ids of at most `limit` rows with all terms, the newest first, among so many of the newest. One query."""
        columns = "id, created_at, terms" if self.reader_id is None else "id, created_at, terms, user_id"
        (rows, values), (likes, patterns) = self._newest(number, columns=columns), has_all(terms)
        shown, reader = self.shown()
        sql = f"SELECT id FROM ({rows}) AS recent WHERE {likes} AND {shown} {_ORDER} LIMIT {limit:d}"  # noqa: S608
        return ids(database.execute_sql(sql, (*values, *patterns, *reader)))

    def recent(self, matched: int) -> Recent | None:
        """The RECENT newest, of which so many matched; None if there are fewer. One query, answered by an index."""
        rows, values = self._newest(RECENT)
        sql = f"SELECT count(*), max(created_at), min(created_at) FROM ({rows}) AS recent"  # noqa: S608
        number, newest, last = database.execute_sql(sql, values).fetchone()
        return Recent(newest, last, matched) if number == RECENT else None

    def count_of_all(self, terms: list[Term]) -> list[int]:
        """How many of the RECENT rows that were written last, by whomever, have each term. One query."""
        rows = f"SELECT terms FROM {self.table} ORDER BY id DESC LIMIT {RECENT:d}"  # noqa: S608
        likes = [has_all([term]) for term in terms]
        counts = ", ".join(f"count(CASE WHEN {like} THEN 1 END)" for like, _ in likes)
        patterns = [text for _, texts in likes for text in texts]
        sql = f"SELECT {counts} FROM ({rows}) AS recent"  # noqa: S608
        return list(database.execute_sql(sql, patterns).fetchone())

    def end(self) -> Place | None:
        """The place of the last of the SEARCHED newest rows, or None if there are none after it. One small query."""
        rows, values = self._newest(2, SEARCHED - 1)
        found = database.execute_sql(rows, values).fetchall()
        if len(found) < 2:
            return None
        row_id, created_at = found[0]
        return self.model.created_at.python_value(created_at), row_id

    def condition(self, since: datetime | None) -> tuple[str, list[Any]]:
        """SQL's condition for these rows, or those of them since a time, and its values."""
        parts = [self._of(column, since) for column in self._columns()]
        return f"({' OR '.join(where for where, _ in parts)})", [value for _, values in parts for value in values]

    def shown(self, author: str = "user_id") -> tuple[str, list[Any]]:
        """SQL's condition that the reader does not block the author of a row, and its values."""
        if self.reader_id is None:
            return "1 = 1", []
        return f"{author} NOT IN (SELECT blocked_id FROM blocks WHERE user_id = {database.param})", [self.reader_id]  # noqa: S608

    def ordered(self, condition: str, limit: int) -> str:
        """SQL for the ids of the newest rows that fit a condition. It finds them all, and then sorts them."""
        # With OFFSET, PostgreSQL does not look for them row by row in the order of another index.
        found = f"SELECT id, created_at FROM {self.table} WHERE {condition} LIMIT {ALL} OFFSET 0"  # noqa: S608
        return f"SELECT id FROM ({found}) AS found {_ORDER} LIMIT {limit:d}"  # noqa: S608

    def _newest(self, number: int, skip: int = 0, columns: str = "id, created_at") -> tuple[str, list[Any]]:
        """SQL for the newest rows, and its values. An index has the rows of each owner's column in that order."""
        parts = [self._of(column) for column in self._columns()]
        # Each part with a limit of its own: PostgreSQL would read all of a union before it sorts.
        ordered = [
            f"SELECT {columns} FROM {self.table} WHERE {where} {_ORDER} LIMIT {number + skip:d}"  # noqa: S608
            for where, _ in parts
        ]
        rows = " UNION ALL ".join(f"SELECT * FROM ({part}) AS part" for part in ordered)  # noqa: S608
        return f"{rows} {_ORDER} LIMIT {number:d} OFFSET {skip:d}", [value for _, values in parts for value in values]

    def _columns(self) -> tuple[str, ...]:
        return fulltext.INDEXED[self.table] if self.owner_id is not None else ("",)

    def _of(self, column: str, since: datetime | None = None) -> tuple[str, list[Any]]:
        """The condition for the rows with the owner in this column, if one is given, after the place and since then."""
        mark, conditions, values = database.param, ["1 = 1"], list[Any]()
        if column:
            conditions.append(f"{column} = {mark}")
            values.append(self.owner_id)
        if self.after:
            conditions.append(f"(created_at, id) < ({mark}, {mark})")
            values += self.after
        if since:
            conditions.append(f"created_at >= {mark}")
            values.append(since)
        return " AND ".join(conditions), values


def has_all(terms: list[Term], column: str = "terms") -> tuple[str, list[str]]:
    """SQL's condition that a row has all of these terms, read from it and not from an index, and its values."""
    likes = [f"' ' || {column} || ' ' LIKE {database.param}"] * len(terms)
    return " AND ".join(likes) or "1 = 1", [f"% {term.text}{'%' if term.is_prefix else ' %'}" for term in terms]


def ids(cursor: Any) -> list[int]:
    """The ids that a query of ids has found."""
    return [row_id for [row_id] in cursor.fetchall()]
