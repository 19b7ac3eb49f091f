"""The feed of notifications: whoever reads it on and on learns the latest state of each of a person's records.

A record says when it last changed, but is there only once that is committed, perhaps after one that changed later. So a
reader who has come to the end goes on from OVERLAP before that, and sees some again. That also bridges clocks that do
not agree, and one that is set back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Self

from peewee import JOIN, Tuple

from webapp.db import CompiledQuery, Param, Row, compiled
from webapp.lib.json_types import Json
from webapp.lib.times import utcnow
from webapp.models.notification_kinds import CONVERSATION, TASK_PROGRESS, UNREAD_MESSAGE_COUNT
from webapp.models.notification_row import NotificationRow
from webapp.models.user import User

OVERLAP: Final = timedelta(seconds=60)  # for as long as the server lets a transaction of the web last
MOST: Final = 200  # records at once
WINDOW: Final = 5000  # records that are gone through at once, of whatever name
NAMES: Final = frozenset(
    {
        TASK_PROGRESS,
        UNREAD_MESSAGE_COUNT,
        CONVERSATION,
    }
)

Place = tuple[datetime, int]  # behind the record that changed then and has that id


@dataclass(frozen=True)
class FeedRecord:
    """What a record says now. `scope` is the id of its task or sender; `writer` the name of that sender, or empty."""

    id: int
    name: str
    scope: str
    payload: dict[str, Json]
    updated_at: datetime
    writer: str


@dataclass(frozen=True)
class Bookmark:
    """Where a reader goes on. `begun` is when it began to read up to the end, while it has not come there; and what
    changed before `floor` is not for it."""

    place: Place
    begun: datetime | None = None
    floor: datetime | None = None

    @classmethod
    def at_the_beginning(cls) -> Self:
        """That of a reader for all there is."""
        return cls((datetime.min, 0))

    @classmethod
    def since(cls, moment: datetime) -> Self:
        """That of a reader for what has changed at a moment or later; from now on, if that is yet to come."""
        return cls((moment, 0), floor=min(moment, utcnow()))

    def starts(self, begun: datetime) -> Place:
        """From where to read, at a moment from which on to read up to the end."""
        if self.begun:
            return self.place
        return self._not_before_floor(min(self.place, _settled(begun)))

    def at_end(self, last: Place, begun: datetime) -> Self:
        """That of a reader who has come to the end, where it read `last`."""
        settled = _settled(begun)
        floor = self.floor if self.floor and self.floor > settled[0] else None
        return type(self)(self._not_before_floor(min(last, settled)), floor=floor)

    def _not_before_floor(self, place: Place) -> Place:
        return max(place, (self.floor, 0)) if self.floor else place


@dataclass(frozen=True)
class FeedPage:
    """Records from the longest unchanged on, where to go on behind them, and whether there are more at once."""

    records: list[FeedRecord]
    following: Bookmark
    are_more: bool


def read_feed(user_id: int, names: Collection[str], bookmark: Bookmark) -> FeedPage:
    """Up to MOST of a person's records of these NAMES from a bookmark on.

    Following the bookmarks shows each record's latest state, if its transaction took no longer than OVERLAP, and twice
    only what changed within that before the end was reached. One query, by index; one more for less than all NAMES,
    where a page may be empty before the end.
    """
    begun = bookmark.begun or utcnow()
    place = last = bookmark.starts(begun)
    window = _window_after(user_id, place) if NAMES - set(names) else None
    records = _records(user_id, frozenset(names), place, window)
    are_more = len(records) > MOST or window is not None
    if len(records) > MOST or (records and not window):
        records = records[:MOST]
        last = records[-1].updated_at, records[-1].id
    elif window:
        last = window
    following = Bookmark(last, begun, bookmark.floor) if are_more else bookmark.at_end(last, begun)
    return FeedPage(records, following, are_more)


def _settled(begun: datetime) -> Place:
    """Up to where nothing is added any more that was not there at a moment."""
    return begun - OVERLAP, 0


def _window_after(user_id: int, place: Place) -> Place | None:
    found = _window.first(user_id=user_id, at=place[0], after=place[1])
    return found and (_python_value(NotificationRow.updated_at, found[0]), int(found[1]))


def _records(user_id: int, names: frozenset[str], place: Place, until: Place | None) -> list[FeedRecord]:
    values = {"user_id": user_id, "at": place[0], "after": place[1]}
    values |= {"until_at": until[0], "until": until[1]} if until else {}
    return [_record(row) for row in _reading(names, until is not None).execute(**values).fetchall()]


def _record(row: Row) -> FeedRecord:
    record_id, name, scope, payload, updated_at, username, deletion_due_at = row
    writer = User(username=username, deletion_due_at=deletion_due_at).shown_name if username else ""
    said = _python_value(NotificationRow.payload, payload) or {}
    return FeedRecord(record_id, name, scope, said, _python_value(NotificationRow.updated_at, updated_at), writer)


def _python_value(field: Any, stored: object) -> Any:
    return field.python_value(stored)


def _later(user_id: Param) -> tuple[Any, ...]:
    row = NotificationRow
    return row.user == user_id, _place() > Tuple(Param("at", row.updated_at.db_value), Param("after"))


def _place() -> Any:
    return Tuple(NotificationRow.updated_at, NotificationRow.id)


@compiled
def _window() -> Any:
    row = NotificationRow
    later = row.select(row.updated_at, row.id).where(*_later(Param("user_id")))
    return later.order_by(row.updated_at, row.id).offset(WINDOW - 1).limit(1)


@cache
def _reading(names: frozenset[str], is_within: bool) -> CompiledQuery:
    def reading() -> Any:
        row = NotificationRow
        columns = row.id, row.name, row.scope, row.payload, row.updated_at, User.username, User.deletion_due_at
        found = row.select(*columns).join(User, JOIN.LEFT_OUTER, on=row.sender == User.id)
        found = found.where(*_later(Param("user_id")), row.name.in_(sorted(names)))
        if is_within:
            found = found.where(_place() <= Tuple(Param("until_at", row.updated_at.db_value), Param("until")))
        return found.order_by(row.updated_at, row.id).limit(MOST + 1)

    return compiled(reading)
