"""How many tasks are in which state, each number with its list."""

from dataclasses import dataclass

from tasks.engine.models.state import Group, State
from webapp.models.desk_counts import count_by_group
from webapp.models.desk_stats import MOST_COUNTED
from webapp.web.presenters.desk.kind_words import bounded
from webapp.web.presenters.desk.links import tasks_url


@dataclass(frozen=True)
class StateCount:
    """A group of states, how many tasks are in it, and their list. `is_shown`: that is the list which is shown."""

    words: str
    number: str
    url: str
    is_shown: bool


def state_counts(shown: frozenset[State]) -> list[StateCount]:
    """All groups, beside a list of tasks in these states. A query for each."""
    return [_count(group, count, shown) for group, count in count_by_group().items()]


def _count(group: Group, count: int, shown: frozenset[State]) -> StateCount:
    url = tasks_url(state=",".join(sorted(group.states)))
    return StateCount(group.words, bounded(count, MOST_COUNTED), url, shown == group.states)
