"""Tasks in the tables of the desk: whose they are, how long they waited and ran, in words that stay true."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for

from tasks.catalogue import CATALOGUE
from tasks.engine.models.state import LEASED
from webapp.lib.i18n import number
from webapp.models import State, Task, User
from webapp.models.desk_filter import WORKFLOW
from webapp.web.presenters.desk.axis import time_words
from webapp.web.presenters.desk.links import target_url


@dataclass(frozen=True)
class Spell:
    """How long something took, in `words`; while it lasts, only `since` when."""

    words: str = ""
    since: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether it has begun at all."""
        return bool(self.words or self.since)


@dataclass(frozen=True)
class DeskRow:
    """A task, and the account that it belongs to."""

    task: Task
    owner: User

    @property
    def kind(self) -> str:
        """As people call it: the label of its function, or the name, where nobody knows it any more."""
        return kind_words(self.task)

    @property
    def kind_url(self) -> str:
        """The page of its kind; of a workflow, or of what this release does not know, the list of all."""
        name = self.task.name
        return url_for("desk.kind", name=name) if name in CATALOGUE else url_for("desk.tasks", kind=name or WORKFLOW)

    @property
    def worker_url(self) -> str:
        """Where its worker is in the page of workers. Only for one that has, or had, a worker."""
        return target_url(f"worker {self.task.worker}")

    @property
    def notes(self) -> str:
        """What it is besides: internal, a part of a workflow."""
        function = CATALOGUE.get(self.task.name)
        internal = "internal" if function and function.internal else "being deleted"
        return ", ".join([internal] * self.task.hidden + ["child"] * (self.task.parent_id is not None))

    @property
    def waited(self) -> Spell:
        """For a worker, before its latest run."""
        return waited(self.task)

    @property
    def ran(self) -> Spell:
        """All of its runs together."""
        return ran(self.task)

    @property
    def attempts(self) -> str:
        """How many there were, and how many were crashed or interrupted: “2 (rescued once)”."""
        task = self.task
        if not task.rescues:
            return str(task.attempts or "")
        often = "once" if task.rescues == 1 else f"{number(task.rescues)} times"
        return f"{task.attempts} (rescued {often})"


def kind_words(task: Task) -> str:
    """The label of the kind of a task."""
    function = CATALOGUE.get(task.name)
    return function.label if function else task.name or "Workflow"


def waited(task: Task) -> Spell:
    """How long a task waited for a worker before its latest run."""
    if task.state == State.PENDING:
        return Spell(since=task.ready_at or task.created_at)
    if task.ready_at is None or task.started_at is None or task.started_at < task.ready_at:
        return Spell()
    return _spell(task.started_at - task.ready_at)


def ran(task: Task) -> Spell:
    """How long all runs of a task took."""
    if task.state in LEASED and task.started_at:
        return Spell(since=task.started_at)
    return _spell(timedelta(seconds=task.run_seconds)) if task.started_at and task.run_seconds else Spell()


def _spell(length: timedelta) -> Spell:
    return Spell(time_words(1000 * length.total_seconds()))


def rows_of(tasks: list[Task]) -> list[DeskRow]:
    """The rows of some tasks. One query, for their owners; none for none."""
    owners = people({task.user_id for task in tasks})
    return [DeskRow(task, owners[task.user_id]) for task in tasks if task.user_id in owners]


def people(ids: Iterable[int]) -> dict[int, User]:
    """Accounts by their ids. One query; none for none."""
    wanted = set(ids)
    return {user.id: user for user in User.select().where(User.id.in_(wanted))} if wanted else {}
