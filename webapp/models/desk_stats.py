"""How many tasks of each kind wait and run at this moment, counted no further than an operator reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from peewee import SQL, Select, fn

from tasks.engine.models.state import LEASED, State
from tasks.engine.models.task import Task
from webapp.models.desk_parts import kinds_in

MOST_COUNTED: Final = 10_000
MOST_KINDS: Final = 1000


@dataclass(frozen=True)
class KindStats:
    """One kind of tasks, by its name; empty for workflows. What is more than MOST_COUNTED is one more.

    `oldest` is since when the one waits that has waited longest, of those that are counted; None where none waits.
    """

    name: str
    waiting: int
    oldest: datetime | None
    running: int


def stats() -> tuple[list[KindStats], int]:
    """The kinds of which any task waits for a worker or is run, by name, and how many more than MOST_KINDS there are.

    One query, and one for each state in which a kind has tasks; each reads MOST_COUNTED rows at most.
    """
    waiting, running = dict[str, tuple[int, datetime | None]](), dict[str, int]()
    found = kinds_in(frozenset({State.PENDING}) | LEASED)
    names = sorted({name for _, name in found})
    counted = set(names[:MOST_KINDS])
    for state, name in found:
        if name not in counted:
            continue
        number, oldest = _count(state, name)
        if state == State.PENDING:
            waiting[name] = number, oldest
        else:
            running[name] = running.get(name, 0) + number
    none = (0, None)
    told = [KindStats(name, *waiting.get(name, none), running.get(name, 0)) for name in names[:MOST_KINDS]]
    return told, len(names) - len(told)


def _count(state: State, name: str) -> tuple[int, datetime | None]:
    of_kind = Task.select(Task.ready_at.alias("at")).where(
        Task.state == state, Task.finished_at.is_null(), Task.name == name
    )
    some: Any = of_kind.limit(MOST_COUNTED + 1).alias("some")
    query: Any = Select([some], [fn.COUNT(SQL("*")), fn.MIN(some.c.at)]).bind(Task._meta.database)
    number, oldest = next(iter(query.tuples()))
    read: Any = Task.ready_at
    return int(number), read.python_value(oldest)
