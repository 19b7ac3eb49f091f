"""The actor: who asks something of a task. It is its owner, unless it is asked within `by_operator`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.phrases import BY_OPERATOR, BY_OPERATOR_BECAUSE, BY_OWNER, FORCED, FORCED_BECAUSE, By
from tasks.engine.models.row import TaskRow
from webapp.lib.kept_words import read_words
from webapp.lib.phrases import Phrase, Wording

LONGEST_REASON = 300  # characters

_CANCELED = sorted(OWNER_ACTIONS["cancel"].targets)
_CANCELS = {
    by.stopped[state].id: by is not BY_OWNER
    for by in (BY_OWNER, BY_OPERATOR, BY_OPERATOR_BECAUSE)
    for state in _CANCELED
} | {FORCED.id: True, FORCED_BECAUSE.id: True}


@dataclass(frozen=True)
class Actor:
    """What timelines say of who asks: `by` what they did, and the `reason` that they gave, if they gave one."""

    by: By
    reason: str = ""

    @property
    def is_operator(self) -> bool:
        """Whether it is not the owner."""
        return self.by is not BY_OWNER

    def says(self, wording: Wording) -> Phrase:
        """The phrase of one of the wordings of `by`."""
        return wording(reason=self.reason) if self.reason else wording()


_OWNER = Actor(BY_OWNER)
_actor: ContextVar[Actor] = ContextVar("actor", default=_OWNER)


@contextmanager
def by_operator(reason: str = "") -> Iterator[None]:
    """What this thread asks of tasks within the block is an operator's act: their timelines say so, and the reason.

    Nothing else changes: the quotas, say, that count for a retry are those of the owner. Whether somebody is an
    operator is the caller's to know. The owner of each task reads the reason, of at most LONGEST_REASON characters.
    """
    before = _actor.set(Actor(BY_OPERATOR_BECAUSE if reason else BY_OPERATOR, reason[:LONGEST_REASON]))
    try:
        yield
    finally:
        _actor.reset(before)


def current() -> Actor:
    """Who asks."""
    return _actor.get()


def operator_canceled(task: TaskRow) -> bool:
    """Whether it was an operator who asked a canceled task to stop. One query.

    Its end is told at once, or a line after the one that says who asked.
    """
    return bool(asked := _asked_to_cancel(task)) and _CANCELS[asked[0].id]


def reason_of_cancel(task: TaskRow) -> str:
    """Why an operator asked it to stop; empty where they gave no reason, or it was its owner. One query."""
    asked = _asked_to_cancel(task)
    return str(asked[0].arguments.get("reason", "")) if asked else ""


def _asked_to_cancel(task: TaskRow) -> list[Phrase]:
    """The latest lines that say who asked, the latest first."""
    told = TaskEvent.task == task.id, TaskEvent.kind.in_(_CANCELED)
    latest = TaskEvent.select().where(*told).order_by(TaskEvent.id.desc()).limit(2)
    said = [read_words(event.text, event.phrase) for event in latest]
    return [each for each in said if isinstance(each, Phrase) and each.id in _CANCELS]
