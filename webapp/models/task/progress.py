"""What a run records while it holds its task: its lease, how far it is, and from where to go on."""

from datetime import datetime, timedelta
from typing import Any

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.task import transitions
from webapp.models.task.event import TaskEvent
from webapp.models.task.locks import changing
from webapp.models.task.row import TaskTrait
from webapp.models.task.state import LEASED, State
from webapp.models.task.transitions import is_mine
from webapp.models.user import User

_COUNTED = {"done": 0, "total": None}  # of a cursor


class Progress(TaskTrait):
    """Each write demands that this run still holds the task, by its fencing token: otherwise it writes nothing."""

    def advance(self, done: int, total: int | None, stage: str) -> bool:
        """Record how far this run is. False, and nothing written, when it should stop: canceled, or taken over."""
        model = type(self)
        return transitions.record(self, model.state == State.IN_PROGRESS, done=done, total=total, stage=stage[:200])

    def checkpoint(
        self, cursor: dict[str, Any], done: int, total: int | None, stage: str, lease: timedelta, tell: bool = True
    ) -> bool:
        """Record from where to go on, in the transaction of the effects that led there; renew the lease.

        A task that gets further is none that kills its workers, so its crashes are counted anew. How far it is stands
        on the row, and is told, only if this is to `tell`: a run may have many more checkpoints than anybody can watch.

        False, and nothing written, when another run has the task: the transaction must then be rolled back.
        """
        model = type(self)
        changes: dict[str, Any] = {"done": done, "total": total, "stage": stage[:200]} if tell else {}
        if self.gets_further(cursor):
            changes["crashes"] = changes["interruptions"] = 0
        return transitions.record(
            self, model.state.in_(LEASED), tell, cursor=cursor, lease_until=utcnow() + lease, **changes
        )

    def gets_further(self, cursor: dict[str, Any]) -> bool:
        """Whether a checkpoint with this cursor is beyond the latest one.

        Steps that are only counted are no proof of that: whatever does not go on from the cursor counts them again in
        each run.
        """
        return self.cursor is None or cursor | _COUNTED != self.cursor | _COUNTED

    def renew(self, lease: timedelta) -> bool:
        """Hold the task for as long from now. False when another run has it. One write."""
        model = type(self)
        until = utcnow() + lease
        return bool(model.update(lease_until=until).where(is_mine(self), model.state.in_(LEASED)).execute())

    def rename(self, title: str) -> None:
        """Call it otherwise from now on. Nothing happens when another run has the task."""
        with changing(self):
            renamed = transitions.write(self, is_mine(self), title=title[:200], updated_at=utcnow())
            if renamed and not self.hidden:
                User.count_change(self.user_id)

    def take_retries(self, number: int) -> None:
        """Let this run, which has just claimed it, have as many attempts after the first as its function has by now.

        A row may be older than the release that runs it. No query where that changes nothing.
        """
        model = type(self)
        if self.retries != number:
            model.update(retries=number).where(is_mine(self)).execute()
            self.retries = number

    def is_mine_and_running(self) -> bool:
        """Whether this run still owns the task and nobody wants it to stop. One small query."""
        model = type(self)
        return model.select().where(is_mine(self), model.state == State.IN_PROGRESS).exists()

    def log(self, text: str, at: datetime | None = None) -> None:
        """Add a line to the timeline, of now or of another time."""
        with database.transaction():
            TaskEvent.write(self.id, "log", text, at)
            if not self.hidden:
                User.count_change(self.user_id)
