"""How many of everybody's tasks are in which state, counted no further than an operator reads."""

from peewee import SQL

from tasks.engine.models.state import FINISHED, Group
from tasks.engine.models.task import Task
from webapp.models.desk_stats import MOST_COUNTED


def count_by_group() -> dict[Group, int]:
    """How many tasks there are of each group of states, internal ones and parts of workflows too; what is more than
    MOST_COUNTED is one more. A query for each, by index."""
    return {group: _count(group) for group in Group}


def _count(group: Group) -> int:
    has_ended = Task.finished_at.is_null(not group.states <= FINISHED)
    some = Task.select(SQL("1")).where(Task.state.in_(sorted(group.states)), has_ended)
    return int(some.limit(MOST_COUNTED + 1).count())
