# ruff: noqa: S608 - nothing in these statements comes from anybody
"""The claim: which of the tasks that wait goes to a worker that is free, as one statement.

Usually it is the head of the queue. But while others wait, one person may hold at most all worker processes but one, so
that their long tasks cannot block everybody. A person at that limit is *full*.
Where all who wait are full, or the number of processes is unknown, it is the head of the queue after all: a worker that
is free never goes without a task that waits.

On SQLite one writes at a time, so that is exact. On PostgreSQL two may claim for one person without seeing each other:
each then counts again once it has the lock of that person's row, which every claim takes, and gives way if it must.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Self
from uuid import uuid4

from peewee import Database, PostgresqlDatabase

from tasks.engine.models import observers, phrases, signals, transitions
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskRow, TaskTrait
from tasks.engine.models.state import LEASED
from webapp.db import database
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow

NEAR = 20  # tasks at the head of the line, among which that of somebody who is not full mostly is
TRIES = 5
PEOPLE = 200  # who wait, and are looked through for that otherwise; it takes a long blockade to get there

# In SQL the columns have their old names: turn is queue_key, owner fencing_token, quiet hidden, worked run_seconds.

# How many tasks a person may run at once while others wait; NULL if no worker is known. Takes the present time.
_MOST = """(
    SELECT CASE WHEN SUM(processes) > 2 THEN SUM(processes) - 1 WHEN SUM(processes) > 0 THEN 1 END
    FROM workers WHERE lives_until > {p}
)"""
# Who is full. The inner LIMIT is more than ever run at once; by it, PostgreSQL reads the index of what runs and not the
# table, also where it has no statistics yet.
_RUNNING = "SELECT user_id FROM tasks WHERE owner IS NOT NULL ORDER BY user_id LIMIT 10000"
_FULL = f"SELECT user_id FROM ({_RUNNING}) AS running GROUP BY user_id HAVING COUNT(*) >= {_MOST}"
_WAITS = "state = 'pending' AND turn IS NOT NULL"
_HEAD = f"SELECT id FROM tasks WHERE {_WAITS} ORDER BY turn LIMIT 1 {{lock}}"
_NEAR_HEAD = f"""
    SELECT id FROM tasks WHERE {_WAITS} AND user_id NOT IN ({_FULL}) AND turn <= COALESCE(
        (SELECT turn FROM tasks WHERE {_WAITS} ORDER BY turn LIMIT 1 OFFSET {NEAR - 1}), {1 << 62}
    ) ORDER BY turn LIMIT 1 {{lock}}
"""
# The first of each person, found by stepping from one person to the next in the index: none of the others is read.
# A CROSS JOIN, because SQLite takes its sides in this order.
_FIRST_OF_EACH = f"""
    WITH RECURSIVE people (user_id, number) AS (
        SELECT (SELECT user_id FROM tasks WHERE {_WAITS} ORDER BY user_id LIMIT 1), 1
        UNION ALL
        SELECT (
            SELECT user_id FROM tasks WHERE {_WAITS} AND user_id > people.user_id ORDER BY user_id LIMIT 1
        ), number + 1 FROM people WHERE user_id IS NOT NULL AND number < {PEOPLE}
    )
    SELECT found.id FROM people CROSS JOIN tasks AS found
    WHERE found.state = 'pending' AND found.user_id = people.user_id AND people.user_id NOT IN ({_FULL})
        AND found.turn = (SELECT MIN(turn) FROM tasks WHERE {_WAITS} AND user_id = people.user_id)
    ORDER BY found.turn LIMIT 1 {{lock_found}}
"""
_FAIR = f"SELECT COALESCE(({_NEAR_HEAD}), ({_FIRST_OF_EACH}))"
_CLAIM = f"""
    UPDATE tasks SET state = 'in_progress', owner = {{p}}, lease_until = {{p}}, turn = NULL,
        attempts = attempts + 1, started_at = {{p}}, updated_at = {{p}}, stage = '', stage_phrase = NULL,
        error = '', error_phrase = NULL
    WHERE state = 'pending' AND id = COALESCE(
        (SELECT CASE WHEN EXISTS ({_FULL}) THEN ({_FAIR}) END), ({_HEAD})
    ) RETURNING *
"""
_IS_OVER = f"SELECT COUNT(*) > {_MOST} FROM tasks WHERE owner IS NOT NULL AND user_id = {{p}}"


@cache
def claim_sql(db: Database) -> str:
    """The statement. Takes the run's token, the end of its lease, and the present time five times.

    It gives the row as it is then, or none when nothing waits. On PostgreSQL it passes over what another is claiming.
    """
    return _spelled(db, _CLAIM)


@cache
def is_over_sql(db: Database) -> str:
    """Whether a person runs more than they may while others wait. Takes the present time and the person."""
    return _spelled(db, _IS_OVER)


@cache
def fair_sql(db: Database) -> str:
    """A task that waits and is of somebody who is not full, or NULL. Takes the present time twice."""
    return _spelled(db, _FAIR, lock=False)


def _spelled(db: Database, sql: str, lock: bool = True) -> str:
    skips = lock and isinstance(db, PostgresqlDatabase)
    locks = ("FOR UPDATE SKIP LOCKED", "FOR UPDATE OF found SKIP LOCKED") if skips else ("", "")
    return sql.format(p=db.param, lock=locks[0], lock_found=locks[1])


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
        task = next(iter(cls.raw(claim_sql(database.obj), token, now + lease, *[now] * 5)), None)
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
    if not isinstance(database.obj, PostgresqlDatabase) or database.transaction_depth() > 1:
        return False
    database.execute_sql("SELECT id FROM users WHERE id = %s FOR NO KEY UPDATE", (task.user_id,))
    if not database.execute_sql(is_over_sql(database.obj), (now, task.user_id)).fetchone()[0]:
        return False
    return database.execute_sql(fair_sql(database.obj), (now, now)).fetchone()[0] is not None
