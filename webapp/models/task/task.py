"""Task: one piece of work that a person started, as they see it, and the only door to its states."""

from datetime import datetime
from typing import Any, Self

from peewee import ModelSelect

from webapp.models.task import changes as columns
from webapp.models.task import signals, transitions, workflow
from webapp.models.task.claim import Claiming
from webapp.models.task.outcome import Outcomes
from webapp.models.task.owner_actions import OwnerActions
from webapp.models.task.progress import Progress
from webapp.models.task.row import TaskRow
from webapp.models.task.state import State
from webapp.models.task.sweeping import Sweeping
from webapp.models.task.undoing import Undoing
from webapp.models.task.unique_key import holding_unique_key
from webapp.models.traits import own_references
from webapp.models.user import User


class Task(OwnerActions, Undoing, Claiming, Progress, Outcomes, Sweeping, TaskRow):
    """One piece of work, from the press of a button to its outcome.

    Every verb is one conditional UPDATE in one transaction with its timeline entry and its observers. A verb that comes
    too late raises IllegalTransition and changes nothing. The verbs of a run also demand that it still holds the task,
    by its fencing token. A run holds a task by a lease that it renews; when that ends, `rescue` gives the task to
    another.
    """

    @classmethod
    def start(
        cls,
        user: User,
        name: str,
        title: str,
        arguments: dict[str, Any],
        *,
        run_at: datetime | None = None,
        parent: TaskRow | None = None,
        total: int | None = None,
        **fields: Any,
    ) -> Self:
        """Write a task that waits for a worker, for its time `run_at`, or for its step as a child of `parent`.

        `total` is how many steps it will have, where that is known. Raises AlreadyRunning when its `unique_key` is held
        by an active task, also when two requests race. A workflow must be told to `begin` once it has its children.
        """
        task = cls(user=user, name=name, title=title[:200], arguments=arguments, run_at=run_at, **fields)
        task.active_unique_key = task.unique_key
        task.total = task.expected = total
        if parent:
            task.parent, task.root, task.state = parent, parent.root_id or parent.id, State.WAITING
        elif run_at:
            task.state = State.SCHEDULED
        else:
            task.queue_key = columns.next_queue_key(task)

        def write() -> None:
            task.save(force_insert=True)
            transitions.tell(task, "launched", "Scheduled by you" if run_at else "Started by you")
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
    def is_visible_to(cls, user: User) -> Any:
        """The condition of a query for the tasks that this person may see: theirs, but for those that are hidden."""
        return (cls.user == user) & ~cls.hidden

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[Self]":
        """The tasks that this person may see, children included."""
        return cls.select().where(cls.is_visible_to(user))

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Self]":
        """All tasks that are shown to this person on their own, newest first."""
        return cls.visible_to(user).where(cls.parent.is_null()).order_by(cls.created_at.desc(), cls.id.desc())


own_references(Task)
Task.add_index(Task.user, where=Task.fencing_token.is_null(False), name="tasks_running")
