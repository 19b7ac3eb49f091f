"""The feed of notifications as the API says it. FEED is the one table of what it tells, and to which tokens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tasks.engine.models.state import FINISHED
from webapp.lib.complete import complete
from webapp.lib.json_types import Json
from webapp.models.notification_feed import NAMES, FeedRecord
from webapp.models.notification_kinds import CONVERSATION, TASK_PROGRESS, UNREAD_MESSAGE_COUNT
from webapp.models.scopes import Scope
from webapp.web.api.resource import (
    BOOLEAN,
    INTEGER,
    STRING,
    TIME,
    UUID,
    Field,
    Resource,
    Schema,
    array,
    described,
    nullable,
    time,
)


def _object(words: str, **members: Schema) -> Schema:
    return described({"type": "object", "properties": {**members}, "required": [*members]}, words)


@dataclass(frozen=True)
class Told:
    """What the feed tells of one name: to tokens with the scope, as data of that schema."""

    scope: Scope
    data: Callable[[FeedRecord], dict[str, Json]]
    schema: Schema


def _task_progress(record: FeedRecord) -> dict[str, Json]:
    said, state = record.payload, record.payload.get("state", "")
    progress: Json = {"done": said.get("done", 0), "total": said.get("total")}
    return {"task": record.scope, "state": state, "done": state in FINISHED, "progress": progress}


FEED: Final[Mapping[str, Told]] = complete(
    "FEED",
    NAMES,
    {
        TASK_PROGRESS: Told(
            Scope.TASKS_READ,
            _task_progress,
            _object(
                "Of `task_progress`, for `tasks:read`: one for each task, but for children of workflows.",
                task=UUID,
                state=STRING,
                done=described(BOOLEAN, "Whether nothing more will happen by itself."),
                progress=_object("As of a task.", done=INTEGER, total=nullable(INTEGER)),
            ),
        ),
        UNREAD_MESSAGE_COUNT: Told(
            Scope.MESSAGES,
            lambda record: {"count": record.payload.get("count", 0)},
            _object("Of `unread_message_count`, for `messages`: one.", count=INTEGER),
        ),
        CONVERSATION: Told(
            Scope.MESSAGES,
            lambda record: {"username": record.writer},
            _object("Of `conversation`, for `messages`: one for each person who wrote.", username=STRING),
        ),
    },
)
SCOPES: Final = tuple(dict.fromkeys(told.scope for told in FEED.values()))


def names_for(scopes: Iterable[Scope]) -> frozenset[str]:
    """What of the feed a token with these scopes gets."""
    given = set(scopes)
    return frozenset(name for name, told in FEED.items() if told.scope in given)


_DATA: Final[Schema] = {"anyOf": [told.schema for told in FEED.values()]}
NOTIFICATION = Resource[FeedRecord](
    "Notification",
    "What is so now of one subject.",
    (
        Field("id", INTEGER, lambda record: record.id, "Of the subject: it stays as the record changes."),
        Field("name", STRING, lambda record: record.name, f"What it is about: {', '.join(FEED)}. Others may come."),
        Field("data", _DATA, lambda record: FEED[record.name].data(record)),
        Field("timestamp", TIME, lambda record: time(record.updated_at), "When it last changed."),
    ),
)


@dataclass(frozen=True)
class Feed:
    """A page of the feed, and the cursor of what follows."""

    records: list[FeedRecord]
    next: str
    are_more: bool


FEED_PAGE = Resource[Feed](
    "NotificationFeed",
    "What has changed, the latest last.",
    (
        Field("items", array(NOTIFICATION.schema), lambda feed: [NOTIFICATION.of(each) for each in feed.records]),
        Field("next", STRING, lambda feed: feed.next, "What to send as `since` the next time."),
        Field("more", BOOLEAN, lambda feed: feed.are_more, "Whether there is more at once."),
    ),
)
