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

MOST_KINDS = 1000
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
    pairs = runs.select(runs.name, party_of(runs).alias("party")).join(control, on=control.name == runs.name)
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
    may: Expression = task.name.not_in(closed()) & Tuple(task.name, party_of(task)).not_in(crowded())
    return may


def nearest(lock: bool = False, fair: bool = True) -> Select:
    """The first task that may be taken, among the first of each open kind: a `fair` one, of who is not full."""
    names, near, placed = names_that_wait(), TaskRow.alias("near"), TaskRow.alias("placed")
    place = near.select(near.queue_key).where(waits(near), near.name == names.c.name)
    last = fn.COALESCE(place.order_by(near.queue_key).limit(1).offset(NEAR - 1), LAST)
    found = TaskRow.alias("found")
    first = found.select(found.id).where(waits(found), found.name == names.c.name, found.queue_key <= last)
    first = first.where(Tuple(found.name, party_of(found)).not_in(crowded()))
    if fair:
        first = first.where(party_of(found).not_in(full()))
    first = first.order_by(found.queue_key).limit(1)
    is_open = names.c.name.is_null(False) & names.c.name.not_in(closed())
    firsts = Select([names], [(locking(first, skip_locked=True) if lock else first).alias("id")]).with_cte(names)
    # By the limit, PostgreSQL looks for each of them once.
    of_kinds = firsts.where(is_open).limit(MOST_KINDS).alias("of_kinds")
    key = placed.select(placed.queue_key).where(placed.id == of_kinds.c.id)
    return Select([of_kinds], [of_kinds.c.id]).where(of_kinds.c.id.is_null(False)).order_by(key).limit(1)


def firsts_of_pairs(found: "ModelAlias[TaskRow]", *columns: Node) -> Select:
    """A query of these columns of the first task of each person and kind that waits: of so many pairs."""
    pairs = _pairs_that_wait()
    # By the limit, either database looks for each of them, and reads no others. SQLite takes the sides in this order.
    firsts = Select([pairs], [pairs.c.id]).with_cte(pairs).limit(PAIRS).alias("firsts")
    return Select([Join(firsts, found, JOIN.CROSS)], columns).where(found.id == firsts.c.id, waits(found))


def _pairs_that_wait() -> CTE:
    """The ids of these, found by stepping from one such pair to the next in the index."""
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
    found = TaskRow.alias("found")
    is_full = party_of(found).in_(full())
    query = firsts_of_pairs(found, found.id).where(is_open(found))
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
