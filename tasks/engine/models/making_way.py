"""Making way: a long run gives its worker process back while somebody waits of whom nothing runs.

The fair share alone does not see to that: long tasks that began while nobody waited, or that are of several people,
hold all processes for as long as they take. Who makes way has had a turn and joins the line again, behind its head.
"""

from peewee import SQL, Select, fn

from tasks.engine.models.fair_queue import LEVEL
from tasks.engine.models.fair_share import people_who_wait, waits
from tasks.engine.models.open_kinds import any_control, firsts_of_pairs, is_open
from tasks.engine.models.party import party_of
from tasks.engine.models.row import TaskRow
from webapp.db import Param, compiled
from webapp.lib.times import utcnow


def runs_before(task: TaskRow) -> int | None:
    """How many runs began before that of a task; None unless somebody waits of whom nothing runs.

    Whoever waits by a lower priority than the task's does not count, nor who waits for what is held. One query, by
    index; one more while kinds are held.
    """
    end = (1 - task.priority) * LEVEL
    is_waited_for, before, is_any_controlled = _standing.execute(end=end, began=task.started_at).fetchone()
    if is_waited_for and is_any_controlled:
        is_waited_for = _is_waited_for.execute(end=end, now=utcnow()).fetchone()[0]
    return int(before) if is_waited_for else None


@compiled
def _standing() -> Select:
    people, theirs, running = people_who_wait(), TaskRow.alias("theirs"), TaskRow.alias("running")
    runs = running.select(party_of(running)).where(running.fencing_token.is_null(False))
    is_theirs = waits(theirs), party_of(theirs) == people.c.person, theirs.queue_key < Param("end")
    waiting = Select([people], [SQL("1")]).with_cte(people).limit(1)
    waiting = waiting.where(fn.EXISTS(theirs.select(SQL("1")).where(*is_theirs)), people.c.person.not_in(runs))
    before = TaskRow.select(fn.COUNT(SQL("*")))
    before = before.where(TaskRow.fencing_token.is_null(False), TaskRow.started_at < Param("began"))
    return Select(columns=[fn.EXISTS(waiting), before, any_control()])


@compiled
def _is_waited_for() -> Select:
    """Whether somebody of whom nothing runs waits for what may be taken."""
    found, running = TaskRow.alias("found"), TaskRow.alias("running")
    runs = running.select(party_of(running)).where(running.fencing_token.is_null(False))
    waiting = firsts_of_pairs(found, SQL("1")).where(is_open(found), found.queue_key < Param("end"))
    return Select(columns=[fn.EXISTS(waiting.where(party_of(found).not_in(runs)))])
