"""The actor: who asks something of a task. It is its owner, unless it is asked within `by_operator`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.phrases import BY_OPERATOR, BY_OWNER, By
from tasks.engine.models.row import TaskRow
from webapp.lib.kept_words import read_words
from webapp.lib.phrases import Phrase

_CANCELED = sorted(OWNER_ACTIONS["cancel"].targets)
_CANCELS = {by.stopped[state].id: by for by in (BY_OWNER, BY_OPERATOR) for state in _CANCELED}
_by: ContextVar[By] = ContextVar("by", default=BY_OWNER)


@contextmanager
def by_operator() -> Iterator[None]:
    """What this thread asks of tasks within the block is an operator's act: their timelines say so.

    Nothing else changes: the quotas, say, that count for a retry are those of the owner. Whether somebody is an
    operator is the caller's to know.
    """
    before = _by.set(BY_OPERATOR)
    try:
        yield
    finally:
        _by.reset(before)


def words() -> By:
    """What timelines say of who asks."""
    return _by.get()


def operator_canceled(task: TaskRow) -> bool:
    """Whether it was an operator who asked a canceled task to stop. One query.

    Its end is told at once, or a line after the one that says who asked.
    """
    told = TaskEvent.task == task.id, TaskEvent.kind.in_(_CANCELED)
    latest = TaskEvent.select().where(*told).order_by(TaskEvent.id.desc()).limit(2)
    said = [read_words(event.text, event.phrase) for event in latest]
    asked = [_CANCELS[each.id] for each in said if isinstance(each, Phrase) and each.id in _CANCELS]
    return asked[:1] == [BY_OPERATOR]
