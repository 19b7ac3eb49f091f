"""One task at the desk, as an operator or a viewer sees it. Nobody but its owner reads what it has made."""

import json
from dataclasses import dataclass

from tasks.engine.models import fair_queue
from tasks.engine.models.fair_queue import QueuePosition
from tasks.engine.models.sealed import is_sealed
from tasks.engine.parameters.secret import MASK
from webapp.lib.i18n import number, size
from webapp.lib.json_types import Json
from webapp.models import FailureGroup, Task, TaskEvent, User
from webapp.models.desk_task import cause_of, find_any, made_by
from webapp.models.permissions import Action, may
from webapp.models.steering import STEERING
from webapp.web.presenters.action_words import ACTION_WORDS, FINAL_ACTION, ActionWords
from webapp.web.presenters.desk.task_rows import DeskRow, people
from webapp.web.presenters.task_progress import queue_text

MOST_CHILDREN = 100


@dataclass(frozen=True)
class DeskTask(DeskRow):
    """A task with what belongs to it. `steers`: who reads it may act on it, and so read what went wrong, and the
    `cause` of a failure."""

    steers: bool
    position: QueuePosition | None
    parent: Task | None
    children: list[Task]
    events: list[TaskEvent]
    cause: FailureGroup | None
    files: int
    bytes: int

    @property
    def actions(self) -> dict[str, ActionWords]:
        """What an operator may ask of it now, but for FINAL_ACTION; nothing for a viewer."""
        names = [name for name in STEERING if self.steers and name != FINAL_ACTION and self.task.can(name)]
        return {name: ACTION_WORDS[name] for name in names}

    @property
    def may_be_deleted(self) -> bool:
        """Whether an operator may have it deleted now."""
        return self.steers and self.task.can(FINAL_ACTION)

    @property
    def may_be_prioritized(self) -> bool:
        """Whether a priority still means anything to it."""
        return self.steers and not (self.task.is_finished or self.task.is_workflow)

    @property
    def went_wrong(self) -> str:
        """What went wrong, in words that may name what the task was given; empty for viewers."""
        return self.task.error_words(self.owner.shown_name) if self.steers else ""

    @property
    def doing(self) -> str:
        """What it does now; empty for viewers where that may tell more than what any task does, like an address."""
        told = self.steers or self.task.stage_tells_no_more
        return self.task.stage_words(self.owner.shown_name) if told else ""

    @property
    def timeline(self) -> list[tuple[TaskEvent, str]]:
        """Each line with its words; viewers read no more of a line than that it is there, if it may tell more."""
        name = self.owner.shown_name
        return [
            (event, event.words(name) if self.steers or event.tells_no_more else event.kind) for event in self.events
        ]

    def queue(self, zone: str) -> str:
        """Where it waits, or what holds it, by the clock of that zone."""
        return queue_text(self.position, self.task, zone) if self.position else ""

    @property
    def attempts_of(self) -> str:
        """Like “2 of 4”."""
        return f"{self.task.attempts} of {self.task.retries + 1}"

    @property
    def artifacts(self) -> str:
        """How many it has made, and how large they are together."""
        return f"{number(self.files)}, {size(self.bytes)}" if self.files else ""

    @property
    def bar(self) -> tuple[int, int] | None:
        """Of a hundred parts of its time, how many it waited and how many it ran; None while that is not known."""
        task = self.task
        if task.started_at is None or task.ready_at is None or not self.ran.words:
            return None
        wait = max(0.0, (task.started_at - task.ready_at).total_seconds())
        part = round(100 * wait / (wait + task.run_seconds))
        return part, 100 - part


def desk_task(task: Task, reader: User) -> DeskTask:
    """The task as this person sees it. At most seven queries."""
    steers = may(reader, Action.STEER)
    return DeskTask(
        task,
        people({task.user_id})[task.user_id],
        steers,
        fair_queue.positions([task]).get(task.id),
        find_any(task.parent_id),
        list(task.children().limit(MOST_CHILDREN)) if task.is_workflow else [],
        TaskEvent.of(task.id),
        cause_of(task) if steers else None,
        *made_by(task),
    )


def shown_arguments(task: Task) -> dict[str, str]:
    """Its arguments by name, for an operator who has asked for them: secrets stay masked."""
    return {name: _shown(value) for name, value in task.arguments.items()}


def _shown(value: Json) -> str:
    if is_sealed(value):
        return MASK if any(value.values()) else "deleted when the task ended"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
