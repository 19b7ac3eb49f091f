"""Checkpoints: saving what a run has done, in one transaction with all that its steps have written."""

import time
from copy import deepcopy

from tasks.engine.artifact_ledger import ArtifactLedger
from tasks.engine.config import config
from tasks.engine.loop_cursor import LoopCursor
from tasks.engine.models import Task
from tasks.engine.models.locks import changing
from tasks.engine.progress_throttle import Progress, ProgressThrottle
from tasks.engine.run_clock import RunClock
from tasks.engine.run_log import RunLog
from tasks.engine.stop_flag import StopFlag
from tasks.engine.unit_of_work import UnitOfWork
from webapp.lib.json_types import Json
from webapp.lib.phrases import Words


class Checkpoints:
    """Makes the checkpoints of one run, and knows when the next one is due.

    Until then the writes of its steps are in `unit`, and its lines for the timeline in `log`. With nothing written the
    next one is due at `next_at`, by time.monotonic().
    """

    def __init__(
        self, task: Task, loops: LoopCursor, artifacts: ArtifactLedger, stop: StopFlag, clock: RunClock
    ) -> None:
        self._task, self._loops, self._artifacts, self._stop, self._clock = task, loops, artifacts, stop, clock
        self.stage: Words = ""
        self.unit = UnitOfWork(self._fence)
        self.log = RunLog(task, self._fence)
        self.throttle = ProgressThrottle(self.progress)
        # Where a run has crashed the next may, too, so that one saves its very first step: each gets further by one.
        self.next_at = time.monotonic() + (0 if task.rescues else config().checkpoint_every)
        self._last_step = 0.0  # by time.monotonic(); set as a loop begins

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(self._loops.done, self._loops.total, self.stage)

    def may_be_due(self) -> bool:
        """Whether anything is written, or the time of the next one has come."""
        return self.unit.begun_at is not None or time.monotonic() >= self.next_at

    def begin_loop(self) -> None:
        """Watch the writes of the steps that follow."""
        self._last_step = time.monotonic()
        self.unit.watch()

    def is_due_between_steps(self) -> bool:
        """Whether a checkpoint should be made before the next step.

        Where steps are slow, the next one would hold the write lock for as long as it takes what this one wrote.
        """
        now, begun_at = time.monotonic(), self.unit.begun_at
        step_began, self._last_step = self._last_step, now
        if begun_at is not None and (
            self._loops.reads_next or now - min(begun_at, step_began) >= config().hold_at_most
        ):
            return True
        return now >= self.next_at

    def save(self, own: Json) -> None:
        """Make a checkpoint, with the cursor of the task function's own. Raises LeaseLost, having saved nothing."""
        cursor: dict[str, Json] = {**self._loops.as_json(), "own": own, "artifacts": self._artifacts.as_json()}
        progress = self.progress
        news = self.throttle.take(progress)
        made_progress = self._clock.made_progress or self._task.gets_further(cursor)
        with self.unit.commit():
            self._artifacts.flush()
            self.log.write()
            if not self._task.checkpoint(deepcopy(cursor), *progress, config().lease, tell=news is not None):
                self._stop.lose_lease()
        self.log.clear()
        self._loops.mark_saved()
        if news:
            self.throttle.written = news
        if made_progress:
            self._clock.mark_progress()
        self.next_at = time.monotonic() + config().checkpoint_every

    def roll_back(self) -> None:
        """Undo what was written since the latest checkpoint, and count as done what stands."""
        if self.unit.roll_back():
            self._loops.go_back()

    def _fence(self) -> None:
        with changing(self._task):
            if not self._task.renew(config().lease):
                self._stop.lose_lease()
