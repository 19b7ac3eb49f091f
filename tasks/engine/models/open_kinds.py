"""Open kinds: which tasks may be taken while some kinds are held, found without reading those that may not.

The kinds that wait are found by stepping from one name to the next in an index, so that also those are that this
release does not know. Of each that is not *closed*, only the first few are looked at. A kind is closed while it is
paused, at its limit of running tasks, or has just started one as often as it may. A *crowded* pair is a kind and a
party that runs as many of it as one person may.
"""

from datetime import datetime
from typing import TypeAlias

from peewee import CTE, JOIN, SQL, Case, Expression, Function, Join, ModelAlias, ModelSelect, Node, Select, Tuple, fn

from tasks.engine.models.fair_share import LAST, NEAR, full, waits
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.party import party_of
from tasks.engine.models.row import TaskRow
from webapp.db import Param, compiled, is_postgres, locking

Tasks: TypeAlias = "type[TaskRow] | ModelAlias[TaskRow]"

PAIRS = 1000  # of a person and a kind, that are looked through for a task; it takes a long blockade to get there
NOW = Param("now")


def clock() -> Node:
    """Seconds since 1970 by the database's clock, which all processes share."""
    if is_postgres():
        return fn.date_part("epoch", fn.clock_timestamp())
    return (fn.julianday("now") - 2440587.5) * 86400.0


def must_wait() -> Expression:
    """Whether one has started so lately that the next must wait. A clock that was set back keeps none waiting."""
    next_start, now = KindControl.next_start, clock()
    return (next_start > now) & (next_start <= now + 1.0 / KindControl.max_starts_per_second)


def closed(but_for_pace: bool = False) -> "ModelSelect[KindControl]":
    """The names of the kinds of which none may be taken, `but_for_pace` without those that only wait a moment."""
    is_closed = (KindControl.paused_until > NOW) | (KindControl.max_running <= running_of(KindControl.name))
    return KindControl.select(KindControl.name).where(is_closed if but_for_pace else is_closed | must_wait())


def running_of(name: Node) -> "ModelSelect[TaskRow]":
    """How many of a kind run: it reads all that run, of which there are no more than processes."""
    runs = TaskRow.alias("runs")
    return runs.select(fn.COUNT(SQL("*"))).where(runs.fencing_token.is_null(False), runs.name == name)


def crowded() -> "ModelSelect[TaskRow]":
    """The pairs of a kind and a party that may not run another of it now."""
    runs, control = TaskRow.alias("theirs"), KindControl.alias("control")
    pairs = runs.select(runs.name, party_of(runs)).join(control, on=control.name == runs.name)
    pairs = pairs.where(runs.fencing_token.is_null(False), control.max_running_per_person.is_null(False))
    return pairs.group_by(runs.name, party_of(runs)).having(
        fn.COUNT(SQL("*")) >= fn.MIN(control.max_running_per_person)
    )


def names_that_wait() -> CTE:
    """The kinds that wait, known or not, and last a NULL: each is one step in the index."""
    waiting = TaskRow.alias("named")
    first = waiting.select(waiting.name).where(waits(waiting)).order_by(waiting.name, waiting.queue_key).limit(1)
    names = Select(columns=[first]).cte("names", recursive=True, columns=("name",))
    after = Select([names], [first.where(waiting.name > names.c.name)])
    return names.union_all(after.where(names.c.name.is_null(False)))


def is_open(task: Tasks) -> Expression:
    """Whether a task that waits may be taken, as far as its kind goes."""
    return task.name.not_in(closed()) & Tuple(task.name, party_of(task)).not_in(crowded())


def nearest(lock: bool = False, fair: bool = True) -> Select:
    """The first task that may be taken, among the first of each open kind: a `fair` one, of who is not full."""
    names, found, near = names_that_wait(), TaskRow.alias("found"), TaskRow.alias("near")
    place = near.select(near.queue_key).where(waits(near), near.name == names.c.name)
    last = fn.COALESCE(place.order_by(near.queue_key).limit(1).offset(NEAR - 1), LAST)
    is_near = waits(found) & (found.name == names.c.name) & (found.queue_key <= last)
    may = Tuple(found.name, party_of(found)).not_in(crowded())
    # A CROSS JOIN, because SQLite takes its sides in this order.
    both = Select([Join(names, found, JOIN.CROSS)], [found.id]).with_cte(names)
    query = both.where(names.c.name.is_null(False), names.c.name.not_in(closed()), is_near, may)
    if fair:
        query = query.where(party_of(found).not_in(full()))
    query = query.order_by(found.queue_key).limit(1)
    return locking(query, skip_locked=True, of=found) if lock else query


def pairs_that_wait() -> CTE:
    """The ids of the first task of each person and kind, found by stepping from one such pair to the next."""
    pairs = Select(columns=[_first_pair(TaskRow.alias("first")), 1])
    steps = pairs.cte("pairs", recursive=True, columns=("id", "number"))
    here, same, other = TaskRow.alias("here"), TaskRow.alias("same"), TaskRow.alias("other")
    following = fn.COALESCE(
        _first_pair(same).where(same.user == here.user, same.name > here.name),
        _first_pair(other).where(other.user > here.user),
    )
    after = Select([Join(steps, here, JOIN.CROSS)], [following, steps.c.number + 1])
    return steps.union_all(after.where(here.id == steps.c.id, steps.c.number < PAIRS))


def _first_pair(task: "ModelAlias[TaskRow]") -> "ModelSelect[TaskRow]":
    return task.select(task.id).where(waits(task)).order_by(task.user, task.name, task.queue_key).limit(1)


def first_of_pairs(lock: bool = False, only_fair: bool = False) -> Select:
    """The first task that may be taken, among the first of each person and kind; before others, of who is not full."""
    pairs, found = pairs_that_wait(), TaskRow.alias("found")
    both = Select([Join(pairs, found, JOIN.CROSS)], [found.id]).with_cte(pairs)
    is_full = party_of(found).in_(full())
    query = both.where(found.id == pairs.c.id, waits(found), is_open(found))
    if only_fair:
        query = query.where(~is_full)
    query = query.order_by(Case(None, [(is_full, 1)], 0), found.queue_key).limit(1)
    return locking(query, skip_locked=True, of=found) if lock else query


def open_names() -> tuple[CTE, Expression]:
    """The kinds that wait, and the condition that one may be taken: now, or after a moment."""
    names = names_that_wait()
    return names, names.c.name.is_null(False) & names.c.name.not_in(closed(but_for_pace=True))


def any_control() -> Function:
    """Whether anything is decided of any kind: in a statement that does something else, it costs next to nothing."""
    return fn.EXISTS(KindControl.select(SQL("1")))


@compiled
def _find_fair() -> Select:
    return Select(columns=[fn.COALESCE(nearest(), first_of_pairs(only_fair=True))])


@compiled
def _find_any() -> Select:
    return Select(columns=[fn.COALESCE(nearest(fair=False), first_of_pairs())])


def is_any_fair(now: datetime) -> bool:
    """Whether a task that may be taken waits, of somebody who is not full. One query, by index."""
    return _find_fair.execute(now=now).fetchone()[0] is not None


def is_any(now: datetime) -> bool:
    """Whether any task that may be taken waits. One query, by index."""
    return _find_any.execute(now=now).fetchone()[0] is not None
