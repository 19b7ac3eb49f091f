"""SeenTask: a task as one reader sees it, with all that its document says besides the row; and the ETag of that."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from flask import current_app

from tasks.engine.models import fair_queue
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.fair_queue import QueuePosition
from tasks.engine.models.sealed import is_sealed
from tasks.engine.parameters.secret import MASK
from webapp.lib.json_types import Json
from webapp.lib.phrases import Phrase
from webapp.models import State, Task, User
from webapp.models.permissions import Action, may
from webapp.web.api.resource import time
from webapp.web.api_paths import ROOT
from webapp.web.presenters.action_words import ACTION_WORDS
from webapp.web.presenters.task_progress import Progress

BY_ITSELF: Final = "task_error"  # the code of an error that the task told in words of its own
RETRY_AFTER: Final = 2  # seconds


class Reader(Enum):
    """Who reads a task. Nobody but its owner reads what it was given, and what it made."""

    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


@dataclass(frozen=True)
class SeenTask:
    """`owner` is a name; `place` is where it stands in the queue, or None unless it waits there. No query."""

    task: Task
    reader: Reader
    owner: str
    place: QueuePosition | None

    @property
    def is_own(self) -> bool:
        """Whether its owner reads it."""
        return self.reader is Reader.OWNER

    @property
    def named(self) -> str:
        """The owner's name where somebody else reads, as words of tasks want it; empty otherwise."""
        return "" if self.is_own else self.owner

    @property
    def arguments(self) -> Json:
        """What it was given, without secrets; None for others."""
        return {name: _without_secret(value) for name, value in self.task.arguments.items()} if self.is_own else None

    @property
    def progress(self) -> Json:
        """As pages show it. Viewers read no stage that says more than what any task does, like an address."""
        task, progress = self.task, Progress(self.task)
        done = task.done if progress.value is None else progress.value
        is_told = self.reader is not Reader.VIEWER or task.stage_tells_no_more
        stage = task.stage_words(self.named) if is_told else ""
        return {"done": done, "total": progress.max, "stage": stage, "eta": time(progress.ends_at)}

    @property
    def position(self) -> int | None:
        """Its place in the queue, from 1; None where it has none."""
        return self.place.ahead + 1 if self.place and not self.place.hold else None

    @property
    def held(self) -> Json:
        """What keeps it from being taken, though workers may be free."""
        hold = self.place and self.place.hold
        if not hold:
            return None
        return {"by": "pause" if hold.until else "limit", "until": time(hold.until), "reason": hold.reason}

    @property
    def result(self) -> Json:
        """What it returned; None for others."""
        result: Json = self.task.result if self.is_own and self.task.state == State.SUCCEEDED else None
        return result

    @property
    def error(self) -> Json:
        """What went wrong, where it did not end well; its words may name what a task was given, so viewers get none."""
        said = self.task.own_error
        if not said or self.task.state == State.SUCCEEDED:
            return None
        words = None if self.reader is Reader.VIEWER else self.task.error_words(self.named)
        return {"code": said.id if isinstance(said, Phrase) else BY_ITSELF, "words": words}

    @property
    def actions(self) -> list[Json]:
        """The nouns of what this reader may ask of it now."""
        if self.reader is Reader.VIEWER:
            return []
        offered = [row for row in OWNER_ACTIONS.values() if self.is_own or row.by_operators]
        return [ACTION_WORDS[row.name].noun for row in offered if row.allows(self.task)]

    @property
    def links(self) -> Json:
        """Where what belongs to it is; None for what is not there for this reader."""
        here = f"{ROOT}/tasks/{self.task.id}"
        return {
            "self": here,
            "events": f"{here}/events",
            "children": f"{here}/children" if self.task.is_workflow else None,
            "artifacts": f"{here}/artifacts" if self.is_own else None,
            "html": f"/tasks/{self.task.id}" if self.is_own else None,
        }

    @property
    def etag(self) -> str:
        """A strong ETag of the document: it counts all that this is made of."""
        task = self.task
        changing = task.moves, task.updated_at, task.state, self.position, self.held, self.reader, self.owner
        parts = (task.id, *changing, current_app.config["RELEASE"])
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @property
    def retry_after(self) -> dict[str, str]:
        """The header that says when to ask again; none once nothing more will happen by itself."""
        return {} if self.task.is_finished else {"Retry-After": str(RETRY_AFTER)}


def see(user: User, tasks: Sequence[Task]) -> list[SeenTask]:
    """Tasks as this person sees them. One query if any of them waits, and one if any belongs to somebody else."""
    positions = fair_queue.positions(tasks)
    owners = {user.id: user.username} | _names({task.user_id for task in tasks} - {user.id})
    other = Reader.OPERATOR if may(user, Action.STEER) else Reader.VIEWER
    return [
        SeenTask(
            task,
            Reader.OWNER if task.user_id == user.id else other,
            owners.get(task.user_id, ""),
            positions.get(task.id),
        )
        for task in tasks
    ]


def _names(user_ids: set[int]) -> dict[int, str]:
    if not user_ids:
        return {}
    people = User.select(User.id, User.username, User.deletion_due_at).where(User.id.in_(user_ids))
    return {person.id: person.shown_name for person in people}


def _without_secret(value: Json) -> Json:
    return (MASK if any(value.values()) else None) if is_sealed(value) else value
