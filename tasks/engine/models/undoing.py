"""Undo: what is recorded of it on the task that is undone."""

from datetime import datetime
from uuid import UUID

from peewee import Case

from tasks.engine.models import phrases, transitions
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.state import FINISHED
from webapp.db import database
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow


class Undoing(TaskTrait):
    """An undo is a task of its own. Here stands that it began, and that it is complete."""

    @property
    def is_undone(self) -> bool:
        """Whether everything it did has been undone since it ended."""
        return self._since_its_end(self.undone_at)

    @property
    def is_partly_undone(self) -> bool:
        """Whether some of what it did has been undone since it ended, but not all, or not yet."""
        return self._since_its_end(self.undo_began_at) and not self.is_undone

    def _since_its_end(self, moment: datetime | None) -> bool:
        return moment is not None and self.finished_at is not None and moment >= self.finished_at

    def begin_undo(self, by: UUID) -> bool:
        """Record that the task `by` takes back what this one did: in the transaction of the first effect of that.

        If it is tried again, it begins anew. False, and nothing recorded, while it is active. Twice is once.
        """
        model = type(self)
        with database.transaction():
            begun = {"cursor": None, "undo_began_at": self._not_before_its_end(), "undone_at": None}
            if not transitions.write(self, model.state.in_(FINISHED), **begun):
                return False
            told = TaskEvent.task == self.id, TaskEvent.kind == "undoing", TaskEvent.link == by
            if not TaskEvent.select().where(*told).exists():
                transitions.tell(self, "undoing", phrases.UNDO_STARTED(), by)
        return True

    def end_undo(self, by: UUID, words: Words) -> None:
        """Record that all is taken back, with words for what that was. Nothing happens if it has moved since."""
        model = type(self)
        began = model.state.in_(FINISHED) & (model.undo_began_at >= model.finished_at) & model.undone_at.is_null()
        with database.transaction():
            if transitions.write(self, began, undone_at=self._not_before_its_end()):
                transitions.tell(self, "undone", phrases.UNDONE(what=words), by)

    def _not_before_its_end(self) -> Case:
        """Now, by a clock that may be behind that of the worker which ended the task."""
        model, now = type(self), utcnow()
        return Case(None, [(model.finished_at > now, model.finished_at)], now)
