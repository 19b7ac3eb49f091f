"""The claim: which of the tasks that wait goes to a worker that is free, as one statement.

Usually it is the head of the queue. But while others wait, one person may hold at most all worker processes but one, so
that their long tasks cannot block everybody. A person at that limit is *full*.
Where all who wait are full, or the number of processes is unknown, it is the head of the queue after all: a worker that
is free never goes without a task that waits.

On SQLite one writes at a time, so that is exact. On PostgreSQL two may claim for one person without seeing each other:
each then counts again once it has the lock of that person's row, which every claim takes, and gives way if it must.
"""

from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from peewee import CTE, JOIN, Case, Expression, Join, ModelAlias, ModelUpdate, Select, fn

from tasks.engine.models import observers, phrases, signals, transitions
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskRow, TaskTrait
from tasks.engine.models.state import LEASED, State
from tasks.engine.models.worker import Worker
from webapp.db import Param, compiled, database, is_postgres, locking, object_of, params_of
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow

NEAR = 20  # tasks at the head of the line, among which that of somebody who is not full mostly is
TRIES = 5
PEOPLE = 200  # who wait, and are looked through for that otherwise; it takes a long blockade to get there
RUN_AT_MOST = 10_000  # tasks at once, on all workers
LAST = 1 << 62  # after every place in the queue

NOW = Param("now")


def _waits(task: "type[TaskRow] | ModelAlias[TaskRow]") -> Expression:
    return (task.state == State.PENDING) & task.queue_key.is_null(False)


def _most() -> Select:
    """How many tasks a person may run at once while others wait; NULL if no worker is known."""
    processes = fn.SUM(Worker.processes)
    most = Case(None, [(processes > 2, processes - 1), (processes > 0, 1)])
    return Worker.select(most).where(Worker.lives_until > NOW)


def _full() -> Select:
    """Who is full."""
    # By the limit, PostgreSQL reads the index of what runs and not the table, also where it has no statistics yet.
    runs = TaskRow.select(TaskRow.user.alias("person")).where(TaskRow.fencing_token.is_null(False))
    running = runs.order_by(TaskRow.user).limit(RUN_AT_MOST).alias("running")
    people = Select([running], [running.c.person]).group_by(running.c.person)
    return people.having(fn.COUNT(running.c.person) >= _most())


def _head() -> Select:
    """The task at the head of the queue."""
    return TaskRow.select(TaskRow.id).where(_waits(TaskRow)).order_by(TaskRow.queue_key).limit(1)


def _near_head() -> Select:
    """The first task of somebody who is not full, if it is among those near the head."""
    near = TaskRow.select(TaskRow.queue_key).where(_waits(TaskRow)).order_by(TaskRow.queue_key)
    is_near = TaskRow.queue_key <= fn.COALESCE(near.limit(1).offset(NEAR - 1), LAST)
    return _head().where(TaskRow.user.not_in(_full()), is_near)


def _people_who_wait() -> CTE:
    """Found by stepping from one person to the next in the index: none of the other tasks is read."""
    waiting = TaskRow.alias("waiting")
    first = waiting.select(waiting.user).where(_waits(waiting)).order_by(waiting.user).limit(1)
    people = Select(columns=[first, 1]).cte("people", recursive=True, columns=("person", "number"))
    after = Select([people], [first.where(waiting.user > people.c.person), people.c.number + 1])
    return people.union_all(after.where(people.c.person.is_null(False), people.c.number < PEOPLE))


def _first_of_each(lock: bool) -> Select:
    """The first task of somebody who is not full, among the first of each person who waits."""
    people, found, other = _people_who_wait(), TaskRow.alias("found"), TaskRow.alias("other")
    first = other.select(fn.MIN(other.queue_key)).where(_waits(other), other.user == people.c.person)
    is_first = (found.state == State.PENDING) & (found.user == people.c.person) & (found.queue_key == first)
    # A CROSS JOIN, because SQLite takes its sides in this order.
    both = Select([Join(people, found, JOIN.CROSS)], [found.id]).with_cte(people)
    query = both.where(is_first, people.c.person.not_in(_full())).order_by(found.queue_key).limit(1)
    return locking(query, skip_locked=True, of=found) if lock else query


def _fair(lock: bool) -> Select:
    """The first task of somebody who is not full, or NULL."""
    near = locking(_near_head(), skip_locked=True) if lock else _near_head()
    return Select(columns=[fn.COALESCE(near, _first_of_each(lock))])


@compiled
def _taking() -> ModelUpdate:
    """Takes a task: gives its row as it is then, or none when nothing waits.

    On PostgreSQL it passes over what another is claiming.
    """
    fair = Select(columns=[Case(None, [(fn.EXISTS(_full()), _fair(lock=True))])])
    chosen = TaskRow.id == fn.COALESCE(fair, locking(_head(), skip_locked=True))
    run = params_of(TaskRow.fencing_token, TaskRow.lease_until)
    run |= dict.fromkeys((TaskRow.started_at, TaskRow.updated_at), NOW)
    run |= {TaskRow.attempts: TaskRow.attempts + 1, TaskRow.moves: TaskRow.moves + 1}
    begun = {TaskRow.state: State.IN_PROGRESS, TaskRow.queue_key: None, TaskRow.stage: "", TaskRow.error: ""}
    begun |= dict.fromkeys((TaskRow.stage_phrase, TaskRow.error_phrase))
    return TaskRow.update(run | begun).where(TaskRow.state == State.PENDING, chosen).returning(TaskRow)


@compiled
def _has_too_many() -> Select:
    """Whether a person runs more than they may while others wait."""
    runs = TaskRow.fencing_token.is_null(False) & (TaskRow.user == Param("user_id"))
    return TaskRow.select(fn.COUNT(TaskRow.user) > _most()).where(runs)


@compiled
def _find_fair() -> Select:
    """A task that waits and is of somebody who is not full, or NULL."""
    return _fair(lock=False)


@compiled
def _lock_owner() -> Select:
    owner = TaskRow.user.rel_field
    person: Select = owner.model.select(owner).where(owner == Param("user_id"))
    return locking(person, "NO KEY UPDATE")


class Claiming(TaskTrait):
    """How a task comes to a run."""

    @classmethod
    def claim(cls, lease: timedelta, token: str = "") -> Self | None:
        """Take the task whose turn it is for a run, or None when nothing waits.

        However many workers ask, one gets it. The row that comes back carries the fencing token that every later write
        of this run must present, a new one if none is given, and the cursor from which to continue.
        """
        task = cls._claim_fairly(lease, token or uuid4().hex)
        if task and task.parent_id:
            with changing(task):
                observers.advanced(task)
        return task

    @classmethod
    def leased_by(cls, token: str) -> Self | None:
        """The task that a run holds by this fencing token, if any. It reads all tasks that workers hold."""
        return cls.get_or_none(cls.state.in_(LEASED), cls.fencing_token == token)

    @classmethod
    def _claim_fairly(cls, lease: timedelta, token: str) -> Self | None:
        """A claim is rolled back and tried again where it was somebody's one too many; in the end any will do."""
        now = utcnow()
        for _ in range(TRIES):
            try:
                with database.transaction():
                    task = cls._take(now, lease, token)
                    if task and _is_one_too_many(task, now):
                        raise _GiveWay
                    return task
            except _GiveWay:
                continue
        with database.transaction():
            return cls._take(now, lease, token)

    @classmethod
    def _take(cls, now: datetime, lease: timedelta, token: str) -> Self | None:
        row = _taking.execute(fencing_token=token, lease_until=now + lease, now=now).fetchone()
        task = object_of(cls, row) if row else None
        if task:
            transitions.tell(task, "started", task._how_it_starts())
            signals.announce(signals.started, task)
        return task

    def _how_it_starts(self) -> Phrase:
        if self.cursor:
            return phrases.CONTINUED(step=self.cursor["done"])
        return phrases.PICKED_UP_AGAIN(attempt=self.attempts) if self.attempts > 1 else phrases.PICKED_UP()


class _GiveWay(Exception):
    """Somebody else is to have this turn."""


def _is_one_too_many(task: TaskRow, now: datetime) -> bool:
    if not is_postgres() or database.transaction_depth() > 1:
        return False
    _lock_owner.execute(user_id=task.user_id)
    if not _has_too_many.execute(now=now, user_id=task.user_id).fetchone()[0]:
        return False
    return _find_fair.execute(now=now).fetchone()[0] is not None
