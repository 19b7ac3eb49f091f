"""What a run records while it holds its task: its lease, how far it is, and from where to go on."""

from datetime import datetime, timedelta

from tasks.engine.models import observers, transitions
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.held import write_held
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.state import LEASED, State
from tasks.engine.models.transitions import is_mine
from tasks.engine.models.words import Changes, kept
from webapp.db import database
from webapp.lib.json_types import Json
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow

_RUNNING = frozenset({State.IN_PROGRESS})
_COUNTED = {"done": 0, "total": None}  # of a cursor


class Progress(TaskTrait):
    """Each write demands that this run still holds the task, by its fencing token: otherwise it writes nothing."""

    def advance(self, done: int, total: int | None, stage: Words) -> bool:
        """Record how far this run is. False, and nothing written, when it should stop: canceled, or taken over."""
        return transitions.record(self, _RUNNING, done=done, total=total, **kept(stage=stage))

    def checkpoint(
        self, cursor: dict[str, Json], done: int, total: int | None, stage: Words, lease: timedelta, tell: bool = True
    ) -> bool:
        """Record from where to go on, in the transaction of the effects that led there; renew the lease.

        A task that gets further is none that kills its workers, so its crashes are counted anew. How far it is stands
        on the row, and is told, only if this is to `tell`: a run may have many more checkpoints than anybody can watch.

        False, and nothing written, when another run has the task: the transaction must then be rolled back.
        """
        changes: Changes = {"done": done, "total": total, **kept(stage=stage)} if tell else {}
        if self.gets_further(cursor):
            changes["crashes"] = changes["interruptions"] = 0
        return transitions.record(self, LEASED, tell, cursor=cursor, lease_until=utcnow() + lease, **changes)

    def gets_further(self, cursor: dict[str, Json]) -> bool:
        """Whether a checkpoint with this cursor is beyond the latest one.

        Steps that are only counted are no proof of that: whatever does not go on from the cursor counts them again in
        each run.
        """
        return self.cursor is None or cursor | _COUNTED != self.cursor | _COUNTED

    def renew(self, lease: timedelta) -> bool:
        """Hold the task for as long from now. False when another run has it. One write, compiled."""
        return write_held(self, LEASED, lease_until=utcnow() + lease)

    def rename(self, title: Words) -> None:
        """Call it otherwise from now on. Nothing happens when another run has the task."""
        with changing(self):
            renamed = transitions.write(self, is_mine(self), **kept(title=title), updated_at=utcnow())
            if renamed and not self.hidden:
                observers.refreshed(self.user_id)

    def take_retries(self, number: int) -> None:
        """Let this run, which has just claimed it, have as many attempts after the first as its function has by now.

        A row may be older than the release that runs it. No query where that changes nothing.
        """
        if self.retries != number:
            transitions.write(self, is_mine(self), retries=number)

    def is_mine_and_running(self) -> bool:
        """Whether this run still owns the task and nobody wants it to stop. One small query."""
        model = type(self)
        return model.select().where(is_mine(self), model.state == State.IN_PROGRESS).exists()

    def log(self, words: Words, at: datetime | None = None) -> None:
        """Add a line to the timeline, of now or of another time."""
        with database.transaction():
            TaskEvent.write(self.id, "log", words, at)
            if not self.hidden:
                observers.refreshed(self.user_id)
