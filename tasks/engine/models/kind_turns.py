"""Kind turns: that limits hold however many workers claim at once.

On SQLite one writes at a time, so the statement that claims has seen all that run. On PostgreSQL it has not. So whoever
has claimed a task of a limited kind takes the lock of the kind's row until the commit, and looks again once it has it.
That is the third lock of a claim, after the task's and the party's, and nobody takes these while they hold this one.
"""

from datetime import datetime

from peewee import SQL, ModelSelect, ModelUpdate, Select, fn

from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.open_kinds import NOW, clock, must_wait, open_names, running_of
from tasks.engine.models.party import party_of
from tasks.engine.models.row import TaskRow
from webapp.db import Param, compiled, is_postgres, locking


@compiled
def _start_one() -> ModelUpdate:
    """The next of this kind starts so much later, unless this one had to wait."""
    later = clock() + 1.0 / KindControl.max_starts_per_second
    may = KindControl.name == Param("name")
    if is_postgres():
        may &= ~fn.COALESCE(must_wait(), SQL("FALSE"))
    return KindControl.update({KindControl.next_start: later}).where(may)


@compiled
def _first_start() -> Select:
    """How long until the first start that only waits for its moment."""
    names, is_open = open_names()
    later = KindControl.select(KindControl.next_start - clock()).where(KindControl.name == names.c.name, must_wait())
    return Select([names], [fn.MIN(later)]).with_cte(names).where(is_open)


def seconds_to_start(now: datetime) -> float | None:
    """Seconds until the next one starts of a kind whose limit is how many do in a second; None where none waits."""
    seconds: float | None = _first_start.execute(now=now).fetchone()[0]
    return seconds


@compiled
def _lock() -> "ModelSelect[KindControl]":
    return locking(KindControl.select(KindControl.name).where(KindControl.name == Param("name")))


@compiled
def _is_too_much() -> "ModelSelect[KindControl]":
    """Whether more of a kind run than may, in all or of one party, or it has been paused meanwhile."""
    runs = TaskRow.alias("runs")
    of_party = runs.select(fn.COUNT(SQL("*"))).where(runs.fencing_token.is_null(False), runs.name == KindControl.name)
    theirs = of_party.where(party_of(runs) == Param("party"))
    wrong = (
        (KindControl.max_running < running_of(KindControl.name))
        | (KindControl.max_running_per_person < theirs)
        | (KindControl.paused_until > NOW)
    )
    return KindControl.select(SQL("1")).where(KindControl.name == Param("name"), wrong)


def keeps(task: TaskRow, control: KindControl | None, now: datetime) -> bool:
    """Whether a task that was claimed in this transaction may stay so; else roll back and claim again.

    At most two queries on PostgreSQL, and one on SQLite; none for a kind that has no limit.
    """
    if control is None or not control.is_limited:
        return True
    if control.max_starts_per_second is not None:
        started = _start_one.execute(name=task.name).rowcount
        if is_postgres() and not started:
            return False
    if not is_postgres():
        return True
    if control.max_starts_per_second is None:
        _lock.execute(name=task.name).fetchall()
    return _is_too_much.execute(name=task.name, party=task.party, now=now).fetchone() is None
