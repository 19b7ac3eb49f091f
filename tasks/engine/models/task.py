"""Task: one piece of work that a person started, as they see it, and the only door to its states."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Self
from uuid import UUID

from peewee import SQL, Expression, Model, ModelSelect

from tasks.engine.models import column_changes, phrases, signals, transitions, workflow
from tasks.engine.models.claim import Claiming
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.forced_ending import ForcedEnding
from tasks.engine.models.outcome import Outcomes
from tasks.engine.models.owner import queue_group
from tasks.engine.models.owner_actions import OwnerActions
from tasks.engine.models.party import party_of
from tasks.engine.models.progress import Progress
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from tasks.engine.models.sweeping import Sweeping
from tasks.engine.models.undoing import Undoing
from tasks.engine.models.unique_key import holding_unique_key
from tasks.engine.models.words import kept
from webapp.db import CompiledQuery, Param, compiled, numbered, places
from webapp.db.traits import own_references
from webapp.lib.json_types import Json
from webapp.lib.logs import request_id
from webapp.lib.phrases import Words


class Task(OwnerActions, Undoing, Claiming, Progress, Outcomes, Sweeping, ForcedEnding, TaskRow):
    """One piece of work, from the press of a button to its outcome.

    Every verb is one conditional UPDATE in one transaction with its timeline entry and its observers. A verb that comes
    too late raises IllegalTransition and changes nothing. The verbs of a run also demand that it still holds the task,
    by its fencing token. A run holds a task by a lease that it renews; when that ends, `rescue` gives the task to
    another.
    """

    @classmethod
    def start(
        cls,
        user: Model,
        name: str,
        title: Words,
        arguments: Mapping[str, Json],
        *,
        run_at: datetime | None = None,
        parent: TaskRow | None = None,
        total: int | None = None,
        **fields: object,
    ) -> Self:
        """Write a task that waits for a worker, for its time `run_at`, or for its step as a child of `parent`.

        `total` is how many steps it will have, where that is known. Raises AlreadyRunning when its `unique_key` is held
        by an active task, also when two requests race. A workflow must be told to `begin` once it has its children.
        """
        fields |= column_changes.of_state(State.WAITING if parent else State.SCHEDULED if run_at else State.PENDING)
        task = cls(user=user, name=name, arguments=arguments, run_at=run_at, **kept(title=title), **fields)
        task.active_unique_key = task.unique_key
        task.total = task.expected = total
        task.queue_group = queue_group(user)
        task.request_id = parent.request_id if parent else request_id()
        if parent:
            task.parent, task.root = parent, parent.root_id or parent.id
        if task.state == State.PENDING:
            task.queue_key = column_changes.next_queue_key(task)

        def write() -> None:
            task.save(force_insert=True)
            by_owner = phrases.SCHEDULED_BY_OWNER if run_at else phrases.STARTED_BY_OWNER
            transitions.tell(task, "launched", by_owner())
            signals.announce(signals.launched, task)
            if task.queue_key is not None:
                signals.announce(signals.enqueued, task)

        holding_unique_key(task, write)
        return task

    def begin(self) -> None:
        """Start a child whose step has come, or a workflow that has its children."""
        workflow.start(self)

    def reset_for_retry(self) -> None:
        """Make a child that was not done wait for its step again, as its workflow is retried."""
        workflow.reset_for_retry(self)

    @classmethod
    def is_visible_to(cls, user: Model | Param) -> Expression:
        """The condition of a query for the tasks that this person may see: theirs, but for those that are hidden."""
        visible: Expression = (cls.user == user) & ~cls.hidden
        return visible

    @classmethod
    def visible_to(cls, user: Model) -> "ModelSelect[Self]":
        """The tasks that this person may see, children included."""
        return cls.select().where(cls.is_visible_to(user))

    @classmethod
    def of(cls, user: Model) -> "ModelSelect[Self]":
        """All tasks that are shown to this person on their own, newest first."""
        return cls.visible_to(user).where(cls.parent.is_null()).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def of_all(cls) -> "ModelSelect[Self]":
        """The tasks of all people, each shown to its owner on its own. For those whose role allows that."""
        return cls.select().where(~cls.hidden, cls.parent.is_null())

    @classmethod
    def below(cls, parent_id: UUID) -> "ModelSelect[Self]":
        """The children of a workflow, in no order."""
        return cls.select().where(cls.parent == parent_id, ~cls.hidden)

    @classmethod
    def find(cls, user: Model, task_id: UUID) -> Self | None:
        """The task of this id, if this person may see it. One query, compiled."""
        found = _visible.objects(cls, user=user, task_id=task_id)
        return found[0] if found else None

    @classmethod
    def find_anybodys(cls, task_id: UUID) -> Self | None:
        """The task of this id, if whoever it belongs to may see it. For those whose role allows that. One query."""
        return cls.get_or_none(cls.id == task_id, ~cls.hidden)

    @classmethod
    def belongs_to_another(cls, user: Model, task_id: UUID) -> bool:
        """Whether there is one of that id, and it is somebody else's. One query."""
        return cls.select().where(cls.id == task_id, cls.user != user).exists()

    @classmethod
    def by_ids(cls, ids: Sequence[UUID]) -> list[Self]:
        """The tasks of some ids, in any order. One query, compiled for each number of them; none for none."""
        return _of_ids(len(ids)).objects(cls, **numbered("id", ids)) if ids else []


@compiled
def _visible() -> "ModelSelect[Task]":
    return Task.select().where(Task.is_visible_to(Param("user")), Task.id == Param("task_id"))


@cache
def _of_ids(number: int) -> CompiledQuery:
    return compiled(lambda: Task.select().where(Task.id.in_(places("id", number, Task.id))))


own_references(Task)
_shown = Task.parent.is_null() & ~Task.hidden
_ended = Task.finished_at.is_null(False) & _shown
Task.add_index(Task.user, Task.created_at, Task.id, where=_shown, name="tasks_shown")
TaskEvent.add_index(TaskEvent.task, TaskEvent.id, name="task_events_of_task")
Task.add_index(Task.parent, Task.created_at, Task.id, where=Task.parent.is_null(False), name="tasks_children")
Task.add_index(Task.created_at, Task.id, where=_shown, name="tasks_of_all")
Task.add_index(Task.user, Task.name, Task.created_at, Task.id, where=_shown, name="tasks_of_kind")
Task.add_index(
    *(Task.user, Task.state, Task.queue_key),
    where=SQL("state = 'pending'") & Task.finished_at.is_null() & _shown,
    name="tasks_queued",
)
_in_line = Task.queue_key.is_null(False)
Task.add_index(Task.state, party_of(Task), Task.queue_key, where=_in_line, name="tasks_in_turn")
Task.add_index(Task.state, Task.name, Task.queue_key, Task.ready_at, where=_in_line, name="tasks_in_line")
Task.add_index(Task.state, Task.user, Task.name, Task.queue_key, where=_in_line, name="tasks_who_wait")
Task.add_index(
    *(party_of(Task), Task.queue_group, Task.user),  # the others only so that PostgreSQL need not read the table
    where=Task.fencing_token.is_null(False),
    name="tasks_running",
)
Task.add_index(
    *(Task.user, Task.state, Task.created_at, Task.id),
    where=Task.finished_at.is_null() & _shown,
    name="tasks_unfinished",
)
Task.add_index(Task.user, Task.state, Task.finished_at, Task.id, where=_ended, name="tasks_ended")
Task.add_index(Task.user, Task.finished_at, where=_ended & Task.dismissed_at.is_null(), name="tasks_alerts")
Task.add_index(Task.state, Task.run_at, where=Task.run_at.is_null(False), name="tasks_due")
Task.add_index(
    *(Task.fingerprint, Task.finished_at), where=Task.fingerprint.is_null(False), name="tasks_failed_by"
)  # how many have failed by a cause since when
Task.add_index(
    *(Task.fingerprint, Task.created_at, Task.id), where=Task.fingerprint.is_null(False), name="tasks_of_failure"
)
Task.add_index(
    *(Task.state, Task.name, Task.created_at, Task.id), where=Task.finished_at.is_null(), name="tasks_unfinished_of_all"
)
Task.add_index(
    *(Task.state, Task.name, Task.finished_at, Task.id),
    where=Task.finished_at.is_null(False),
    name="tasks_ended_of_all",
)
Task.add_index(Task.created_at, Task.id, where=Task.parent.is_null(False) | Task.hidden, name="tasks_within")
Task.add_index(Task.created_at, Task.id, where=Task.rescues > 0, name="tasks_rescued")
# The same of one kind, and of one person: what an operator looks for in a schedule.
Task.add_index(Task.name, Task.state, Task.run_at, where=Task.run_at.is_null(False), name="tasks_due_of_kind")
Task.add_index(Task.user, Task.state, Task.run_at, where=Task.run_at.is_null(False), name="tasks_due_of_user")
