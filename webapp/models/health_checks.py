"""The health of the site, for probes: what has to be so that tasks get done."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from peewee import PeeweeException, fn

from tasks.engine.leadership import ROLE
from tasks.engine.models.fair_share import waits
from webapp.db import database, readiness
from webapp.db.resilience import is_unavailable
from webapp.lib.i18n import duration, number
from webapp.lib.outage import one_line
from webapp.lib.times import utcnow
from webapp.models import Leader, Task, Worker

LOOKED_AT = 10_000  # of the tasks that wait, those at the head of the line


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is well, and what was found."""

    name: str
    is_well: bool
    words: str


Answer = tuple[bool, str]


@dataclass(frozen=True)
class Question:
    """What is asked, by name. Where it `ends` the checks unless it is well, the others make no sense without it."""

    name: str
    ask: Callable[[], Answer]
    ends: bool = False

    def check(self) -> Check:
        """Ask. A database that cannot be used for whatever reason is told in words: a probe has no use for more."""
        try:
            return Check(self.name, *self.ask())
        except (PeeweeException, sqlite3.Error, psycopg.Error) as error:
            does = "does not answer" if is_unavailable(error) else "cannot be used"
            return Check(self.name, False, f"the database {does}: {one_line(error)}")


def questions(longest_wait: float | None = None) -> list[Question]:
    """In their order. Some seven small queries in all.

    `longest_wait` is how many seconds a task may wait; None for any.
    """
    return [
        Question("database", _database, ends=True),
        Question("schema", _schema, ends=True),
        Question("workers", _workers),
        Question("sweeper", _sweeper),
        Question("wait", lambda: _wait(longest_wait)),
    ]


def oldest_wait() -> float | None:
    """For how many seconds the task has waited that has waited longest, among the LOOKED_AT at the head of the line.

    None where nothing waits, or nobody knows since when. One query, by index.
    """
    near = Task.select(Task.id).where(waits(Task)).order_by(Task.queue_key).limit(LOOKED_AT)
    ready_at = Task.select(fn.MIN(Task.ready_at)).where(Task.id.in_(near)).scalar()
    return None if ready_at is None else max(0.0, (utcnow() - ready_at).total_seconds())


def _database() -> Answer:
    database.execute_sql("SELECT 1")
    return True, "answers"


def _schema() -> Answer:
    lack = readiness.lack(anew=True)
    return not lack, lack or "is that of this release, or newer"


def _workers() -> Answer:
    """Where all are quiet, an operator wanted it so, and no restart of anything would help: the wait tells."""
    alive = list(Worker.alive())
    claiming = [worker for worker in alive if worker.quiet_at is None]
    if not alive:
        return False, "none is running, so tasks wait"
    slots = sum(worker.processes for worker in claiming)
    return True, f"{number(len(claiming))} of {number(len(alive))} take tasks, {number(slots)} at once"


def _sweeper() -> Answer:
    leads = Leader.select().where(Leader.role == ROLE, Leader.until > utcnow()).exists()
    return leads, "one leads" if leads else "nobody sweeps: what is due or lost stays so"


def _wait(longest: float | None) -> Answer:
    waited = oldest_wait()
    if waited is None:
        return True, "nothing waits"
    words = f"the longest is {duration(round(waited))}"
    if longest is None or waited <= longest:
        return True, words
    return False, f"{words}, more than {duration(longest)}"
