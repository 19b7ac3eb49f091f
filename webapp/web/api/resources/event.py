"""A line of a task's timeline, as programs see it."""

from dataclasses import dataclass

from webapp.models import TaskEvent
from webapp.web.api.resource import INTEGER, STRING, TIME, UUID, Field, Resource, nullable, time
from webapp.web.api.resources.seen_task import Reader, SeenTask


@dataclass(frozen=True)
class SeenEvent:
    """An event with the task that it is of, as one reader sees that. No query."""

    event: TaskEvent
    seen: SeenTask

    @property
    def words(self) -> str | None:
        """For people; None where a viewer would read what only the owner and operators may."""
        if self.seen.reader is Reader.VIEWER and not self.event.tells_no_more:
            return None
        return self.event.words(self.seen.named)


EVENT = Resource[SeenEvent](
    "Event",
    "A line of the timeline of a task.",
    (
        Field("id", INTEGER, lambda each: each.event.id, "It grows along the timeline."),
        Field("at", TIME, lambda each: time(each.event.at)),
        Field(
            "type",
            STRING,
            lambda each: each.event.kind,
            "`launched`, `started`, `log`, `undoing`, `undone`, or the state that the task came to. Later releases may "
            "add others.",
        ),
        Field(
            "words",
            nullable(STRING),
            lambda each: each.words,
            "For people. Null where only the owner and operators may read it.",
        ),
        Field(
            "task",
            nullable(UUID),
            lambda each: str(each.event.link) if each.event.link and each.seen.is_own else None,
            "Another task that it tells of, which may be there no more.",
        ),
    ),
)
