"""Steps: how a run goes from one step to the next, makes checkpoints between them, and stops there."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from time import monotonic
from typing import TypeVar, overload

from tasks.engine.allowance import Allowance
from tasks.engine.artifact_ledger import ArtifactLedger
from tasks.engine.checkpoints import Checkpoints
from tasks.engine.loop_cursor import LoopCursor, SavedCursor
from tasks.engine.models import Task
from tasks.engine.run_clock import RunClock
from tasks.engine.stop_flag import LeaseLost, StopFlag
from webapp.db import database
from webapp.lib.json_types import Json
from webapp.lib.phrases import Words

Item = TypeVar("Item")


class Steps:
    """What a run is made of: where it goes on, what it has made, who wants it to stop, and how all of it is saved.

    `cursor` is the task function's own, any JSON. `is_limited` says whether its owner's storage limits what it makes.
    """

    def __init__(self, task: Task, is_limited: bool = True) -> None:
        # The row keeps its own, to tell whether this run makes progress.
        saved: SavedCursor = deepcopy(task.cursor) if task.cursor else {}
        self.cursor: Json = saved.get("own")
        self.clock = RunClock()
        self.stop = StopFlag()
        self.loops = LoopCursor(saved, task.expected)
        allowance = Allowance(task, is_limited)
        self.artifacts = ArtifactLedger(task, saved.get("artifacts", []), self.clock.touch, allowance)
        self.checkpoints = Checkpoints(task, self.loops, self.artifacts, self.stop, self.clock)
        self._abandoned = False

    def go_on(self) -> None:
        """The function has called the run: a sign of progress; and a loop that it left by `break` is done."""
        self.clock.touch()
        if not self._abandoned and (steps := self.loops.take_left()) is not None:
            self._end_step(steps)
            self._end_loop()

    @overload
    def go_through(self, items: Iterable[Item], every_step: bool) -> Iterator[Item]: ...

    @overload
    def go_through(self, items: Iterable[Item], every_step: bool, size: int) -> Iterator[list[Item]]: ...

    def go_through(self, items: Iterable[object], every_step: bool, size: int | None = None) -> Iterator[object]:
        """Give the items of the next loop one by one, or in lists of up to `size`; see `Run.each`."""
        if self.loops.is_in_loop:
            raise RuntimeError("each() within each(): only one loop counts steps; write a plain one inside")
        self.go_on()
        is_left = self.loops.begin_loop()
        self.artifacts.begin_loop()
        self.stop_if_asked()
        if not is_left:
            return
        loop = self.loops.enter(items, size)
        self.checkpoints.begin_loop()
        stop, checkpoints, unit = self.stop, self.checkpoints, self.checkpoints.unit
        try:
            for item in loop:
                yield item
                self._end_step(loop.advance(item))
                # Spelled out here: this is asked after each step, of which there may be millions.
                if every_step or stop.is_set or unit.begun_at is not None or monotonic() >= checkpoints.next_at:
                    self._between_steps(every_step)
        except GeneratorExit:
            self.loops.leave_loop(len(item) if size and isinstance(item, list) else 1)
            raise
        else:
            self._end_loop()
        finally:
            if not self._abandoned:
                self.loops.exit()
                self.checkpoints.unit.unwatch()

    def advance(self, steps: int) -> None:
        """Count steps as made by hand. Outside of `each` also where the run may stop, but not at its last step."""
        self.loops.done += steps
        self.go_on()
        if steps <= 0 or self.loops.done != self.loops.total:
            self.stop_outside_of_each()
        else:
            self.stop.raise_if_lease_lost()

    def save(self) -> None:
        """Make a checkpoint. Raises LeaseLost, having saved nothing, when another run has the task."""
        self.stop.raise_if_lease_lost()
        self.go_on()
        self.checkpoints.save(self.cursor)
        if self.loops.is_in_loop:
            self.checkpoints.unit.watch()

    def wait(self, seconds: float) -> None:
        """Sleep, but wake when the run should stop."""
        self.go_on()
        self.clock.touch(seconds)
        self.stop.wait(seconds, within_step=self.loops.is_in_loop)
        self.clock.touch()
        self.stop_outside_of_each()

    def log(self, words: Words) -> None:
        """Add a line to the timeline: now, or where a transaction is open, when that ends."""
        self.go_on()
        self.checkpoints.log.append(words)
        if database.in_transaction():
            return
        self.checkpoints.unit.unwatch()  # else this would be the write that begins the transaction of the step
        try:
            self.checkpoints.log.flush()
        finally:
            if self.loops.is_in_loop:
                self.checkpoints.unit.watch()

    def stop_if_asked(self) -> None:
        """Raise what the stop flag says, but not after the last step of a loop: the function may return now."""
        self.stop.raise_if_lease_lost()
        if self.stop.is_set and not self.loops.is_after_last_step:
            self.stop.raise_if_set()

    def stop_outside_of_each(self) -> None:
        """The same, but a step of `each` is made to its end, unless the lease is lost."""
        if self.loops.is_in_loop:
            self.stop.raise_if_lease_lost()
        else:
            self.stop_if_asked()

    def finish(self) -> None:
        """The function has returned. Raises LeaseLost when another run has the task by now."""
        self.go_on()
        if self.stop.is_lease_lost or self.checkpoints.unit.begun_at is not None:
            self.save()
        self.checkpoints.log.flush()

    def abandon(self) -> None:
        """The function has raised: undo what came after the latest checkpoint, but for lines of the timeline.

        These stand, too, unless another run has the task.
        """
        self._abandoned = True
        self.checkpoints.roll_back()
        if not self.stop.is_lease_lost:
            with suppress(LeaseLost):
                self.checkpoints.log.flush_if_possible()

    def _end_step(self, steps: int) -> None:
        self.loops.done += steps
        self.clock.touch()
        if self.artifacts.of_step:
            self.artifacts.end_step()

    def _between_steps(self, every_step: bool) -> None:
        is_due = self.checkpoints.is_due_between_steps()
        if is_due or every_step or self.stop.is_set:
            self.save()
        self.stop_if_asked()

    def _end_loop(self) -> None:
        self.loops.end_loop()
        if self.checkpoints.may_be_due():
            self.save()
