"""The file that a bulk action leaves: for each task what it was, whose, and what came of it, in words."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from tasks.engine import registry
from tasks.engine.models.artifact import Artifact, Kind
from tasks.engine.models.task import Task
from webapp.models.bulk_actions import BULK_NAME
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.user import User

FILE: Final = "outcome.csv"
COLUMNS: Final = ("task", "kind", "title", "owner", "outcome")


@dataclass(frozen=True)
class Label:
    """What a task is, and whose, as lists of the desk say it; empty for one that is gone."""

    kind: str = ""
    title: str = ""
    owner: str = ""


def labels_of(ids: Iterable[UUID]) -> dict[UUID, Label]:
    """What the tasks of some ids are, as far as they are still there. Two queries; none for none."""
    tasks = Task.by_ids([*ids])
    whose = {task.user_id for task in tasks}
    owners = {user.id: user.shown_name for user in User.select().where(User.id.in_(whose))} if whose else {}
    return {task.id: _label(task, owners[task.user_id]) for task in tasks if task.user_id in owners}


def _label(task: Task, owner: str) -> Label:
    function = registry.functions.get(task.name)
    return Label(function.label if function else task.name or "Workflow", task.title_words(owner), owner)


@dataclass(frozen=True)
class Acted:
    """The tasks that a bulk action was about: those that came to one `outcome`, or all of them."""

    bulk_id: UUID
    outcome: Outcome | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """What its text says. Raises ValueError for what is no id, and KeyError for what is no outcome."""
        key, _, name = text.partition(".")
        return cls(UUID(key), Outcome[name.upper()] if name else None)

    def __str__(self) -> str:
        return f"{self.bulk_id}.{self.outcome.name.lower()}" if self.outcome else str(self.bulk_id)

    @property
    def file(self) -> Artifact | None:
        """Its file, while that is kept, also before it is whole. One query."""
        kept = Artifact.name == FILE, Artifact.kind == Kind.FILE, Artifact.expired_at.is_null()
        of_bulk = Artifact.select().join(Task).where(Task.id == self.bulk_id, Task.name == BULK_NAME)
        found: Artifact | None = of_bulk.where(*kept).first()
        return found

    def ids(self) -> list[UUID]:
        """The tasks, as far as the file has them. A query, and one for each piece of the file."""
        file = self.file
        if file is None:
            return []
        pieces = (piece for _, piece in zip(range(file.number), file.chunks(), strict=False))
        rows = csv.reader(io.StringIO(b"".join(pieces).decode(), newline=""))
        key, outcome, wanted = COLUMNS.index("task"), COLUMNS.index("outcome"), self.outcome
        next(rows, None)
        return [UUID(row[key]) for row in rows if wanted is None or row[outcome] == wanted.value]
