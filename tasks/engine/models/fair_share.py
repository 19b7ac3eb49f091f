"""The fair share: while others wait, one person may hold at most all worker processes but one, so that their long tasks
cannot block everybody. A person at that limit is *full*. A person is a party here: owners of one `queue_group` are one.

On SQLite one writes at a time, so whoever claims sees how many a person holds. On PostgreSQL two may claim for one
person without seeing each other. So each takes a lock of that person until its commit, and looks again once it has it:
a shared one where nobody else waits, as there is no limit then, and an exclusive one where others do. Which it is goes
by what the process saw the last time. A claim that finds others although it had expected none is made anew.
"""

from collections.abc import Callable
from datetime import datetime

from peewee import CTE, JOIN, Case, Expression, Function, Join, ModelAlias, ModelSelect, Select, fn

from tasks.engine.models.party import party_of
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from tasks.engine.models.worker import Worker
from webapp.db import Param, compiled, database, is_postgres, locking

NEAR = 20  # tasks at the head of the line, among which that of somebody who is not full mostly is
PEOPLE = 200  # who wait, and are looked through for that otherwise; it takes a long blockade to get there
RUN_AT_MOST = 10_000  # tasks at once, on all workers
LAST = 1 << 62  # after every place in the queue
LOCKS = 2_041_739_151  # the number of these among PostgreSQL's advisory locks

NOW = Param("now")


def waits(task: "type[TaskRow] | ModelAlias[TaskRow]") -> Expression:
    """Whether a task waits for a worker."""
    return (task.state == State.PENDING) & task.queue_key.is_null(False)


def full() -> Select:
    """Who is full, as of `now`."""
    # By the limit, PostgreSQL reads the index of what runs and not the table, also where it has no statistics yet.
    runs = TaskRow.select(party_of(TaskRow).alias("person")).where(TaskRow.fencing_token.is_null(False))
    running = runs.order_by(party_of(TaskRow)).limit(RUN_AT_MOST).alias("running")
    people = Select([running], [running.c.person]).group_by(running.c.person)
    return people.having(fn.COUNT(running.c.person) >= _most())


def head(*within: Expression) -> "ModelSelect[TaskRow]":
    """The first task in line, or in a part of it."""
    return TaskRow.select(TaskRow.id).where(waits(TaskRow), *within).order_by(TaskRow.queue_key).limit(1)


def fair(*parts: Expression, lock: bool) -> Select:
    """The first task of somebody who is not full, or NULL. Those at the heads of these parts are looked at first."""
    near = [_near_head(part) for part in parts]
    return Select(
        columns=[
            fn.COALESCE(*(locking(each, skip_locked=True) if lock else each for each in near), _first_of_each(lock))
        ]
    )


def _most() -> Select:
    """How many tasks a person may run at once while others wait; NULL if no worker is known that claims."""
    processes = fn.SUM(Worker.processes)
    most = Case(None, [(processes > 2, processes - 1), (processes > 0, 1)])
    return Worker.select(most).where(Worker.lives_until > NOW, Worker.quiet_at.is_null())


def _near_head(part: Expression) -> "ModelSelect[TaskRow]":
    """The first task of somebody who is not full, if it is among those near the head of a part of the line."""
    near = TaskRow.select(TaskRow.queue_key).where(waits(TaskRow), part).order_by(TaskRow.queue_key)
    is_near = TaskRow.queue_key <= fn.COALESCE(near.limit(1).offset(NEAR - 1), LAST)
    return head(part, party_of(TaskRow).not_in(full()), is_near)


def people_who_wait() -> CTE:
    """Found by stepping from one person to the next in the index: none of the other tasks is read."""
    waiting = TaskRow.alias("waiting")
    first = _somebody(waiting)
    people = Select(columns=[first, 1]).cte("people", recursive=True, columns=("person", "number"))
    after = Select([people], [first.where(party_of(waiting) > people.c.person), people.c.number + 1])
    return people.union_all(after.where(people.c.person.is_null(False), people.c.number < PEOPLE))


def _somebody(task: "type[TaskRow] | ModelAlias[TaskRow]") -> "ModelSelect[TaskRow]":
    """The first person who waits, by the one index that has this order."""
    return task.select(party_of(task)).where(waits(task)).order_by(party_of(task), task.queue_key).limit(1)


def _first_of_each(lock: bool) -> Select:
    """The first task of somebody who is not full, among the first of each person who waits."""
    people, found, other = people_who_wait(), TaskRow.alias("found"), TaskRow.alias("other")
    first = other.select(fn.MIN(other.queue_key)).where(waits(other), party_of(other) == people.c.person)
    is_first = (found.state == State.PENDING) & (party_of(found) == people.c.person) & (found.queue_key == first)
    # A CROSS JOIN, because SQLite takes its sides in this order.
    both = Select([Join(people, found, JOIN.CROSS)], [found.id]).with_cte(people)
    query = both.where(is_first, people.c.person.not_in(full())).order_by(found.queue_key).limit(1)
    return locking(query, skip_locked=True, of=found) if lock else query


@compiled
def _standing() -> Select:
    """Whether a person runs more than they may while others wait, and whether others wait."""
    person, theirs = Param("party"), party_of(TaskRow)
    runs = TaskRow.fencing_token.is_null(False) & (theirs == person)
    too_many = TaskRow.select(fn.COUNT(TaskRow.user) > _most()).where(runs)
    others = (_somebody(TaskRow).where(side) for side in (theirs < person, theirs > person))
    return Select(columns=[too_many, fn.COALESCE(*others).is_null(False)])


@compiled
def _find_fair() -> Select:
    """A task that waits and is of somebody who is not full, or NULL."""
    return fair(lock=False)


def is_any_fair(now: datetime) -> bool:
    """Whether a task waits of somebody who is not full. One query, by index."""
    return _find_fair.execute(now=now).fetchone()[0] is not None


def lock(shared: bool) -> Function:
    """The lock of the person whose task a statement takes, for its RETURNING: so it costs no statement of its own."""
    person = party_of(TaskRow).bin_and(0x7FFFFFFF)
    return fn.pg_advisory_xact_lock_shared(LOCKS, person) if shared else fn.pg_advisory_xact_lock(LOCKS, person)


class FairShare:
    """Confirms what a process has claimed. `others_wait` is whether others did the last time, and
    `is_any_controlled` whether anything was decided of any kind then. Threads may share it: at worst one looks twice.
    """

    def __init__(self) -> None:
        self.others_wait, self.is_any_controlled = True, False

    def keeps(self, party: int, now: datetime, alone: bool, others: Callable[[datetime], bool]) -> bool:
        """Whether a task of theirs that was claimed in this transaction may stay so; else roll back and claim again.

        `alone` is whether it was claimed as if nobody else waited; `others` says whether a task waits that may be taken
        and is of somebody who is not full. The claim has taken their `lock`. One query on
        PostgreSQL, whose snapshot is younger than that lock; none on SQLite.
        """
        if not is_postgres() or database.transaction_depth() > 1:
            return True
        too_many, self.others_wait = _standing.execute(party=party, now=now).fetchone()
        if alone:
            return not self.others_wait
        return not too_many or not others(now)
