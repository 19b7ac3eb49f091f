"""Run: what a task function gets as its first argument, to say how far it is and to leave what it made."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar

from tasks.engine.limits import limits
from tasks.engine.loops import loop_over
from tasks.engine.unit import UnitOfWork
from webapp.models import Artifact, ArtifactWriter, Task, User, family
from webapp.models.artifact import Kind, checked_link

CHECKPOINT_EVERY = 1.0  # seconds, while steps write nothing
HOLD_AT_MOST = 0.05  # seconds, since steps began to write; SQLite lets nobody else write meanwhile
END = "end"  # the position of a loop that is done
Item = TypeVar("Item")


class Stop(BaseException):
    """Ends a run at its next step. Not an Exception, so that no task function catches it by mistake."""


class Asked(Stop):
    """The owner asked the task to stop or to pause."""


class Released(Stop):
    """The worker is shutting down: the task goes back to wait for another."""


class LostTask(Stop):
    """Another run has the task. This one must write nothing more."""


class Run:
    """One run of a task. Steps are cheap: they count in memory, and the reporter writes them at a bounded rate.

    Between two steps is also where a run notices that it should stop; it then raises a Stop through the task function.
    What it has done by its latest checkpoint stands, whatever happens to it, and the next run goes on from there.
    """

    def __init__(self, task: Task) -> None:
        saved = deepcopy(task.cursor) or {}  # the row keeps its own, to tell whether this run gets further
        self._task = task
        # The task's own cursor: any JSON, saved with each checkpoint, and given back to the next run. None at first.
        self.cursor: Any = saved.get("own")
        self._done: int = saved.get("done", 0)
        self._total: int | None = saved.get("total", task.expected)
        self._total_was_said = task.expected is not None
        self._positions: list[Any] = saved.get("loops", [])
        # How many artifacts of each name the steps of each loop have left, and which the present step has.
        self._left_by: list[Counter[str]] = [Counter(names) for names in saved.get("artifacts", [])]
        self._step_left: list[str] = []
        self._loops = 0
        self._looping = False
        self._left: int | None = None  # the loop that was left, by `break` or by an error; which, the next call says
        self._abandoned = False
        self._stage = ""
        self._kept = (self._done, self._total)
        self._reported: tuple[int, int | None, str] = (self._done, self._total, "")
        self._stop: type[Stop] | None = None
        self._wake = threading.Event()
        self._unit = UnitOfWork(self._fence)
        self._writers: list[ArtifactWriter] = []
        self._names: Counter[str] = Counter()
        # Where a run has died another may, so that one saves its very first step: it always gets further by that.
        self._next_checkpoint = time.monotonic() + (0 if task.rescues else CHECKPOINT_EVERY)
        self._last_step = 0.0  # when, by time.monotonic(); it is set as a loop begins

    @property
    def user(self) -> User:
        """Who started the task."""
        return self._task.user

    @property
    def id(self) -> str:
        """The task's id; the same in every run of it."""
        return str(self._task.id)

    @property
    def is_last_attempt(self) -> bool:
        """Whether a TemporaryError now would end the task, as it has no attempt left."""
        return bool(self._task.attempts > self._task.retries)

    @property
    def done(self) -> int:
        """How many steps have been made, those of earlier runs included; 0 means that this is the very beginning."""
        return self._done

    @property
    def total(self) -> int | None:
        """How many steps there are, or None while that is unknown; the bar then shows no share."""
        return self._total

    @total.setter
    def total(self, number: int | None) -> None:
        self._total, self._total_was_said = number, True

    @property
    def results(self) -> list[Any]:
        """For a part of a chain or a chord: what the functions of the step before returned, in order."""
        task = self._task
        before = Task.select(Task.result).where(Task.parent == task.parent_id, Task.step == task.step - 1)
        return [part.result for part in before.order_by(Task.created_at, Task.id)] if task.parent_id else []

    def advance(self, steps: int = 1) -> None:
        """Count steps as made. Raises a Stop when the run should end here; within `each`, only its own steps do."""
        self._done += steps
        self._go_on()
        if not self._looping or self._stop is LostTask:
            self._stop_if_asked()

    def each(self, items: Iterable[Item], every_step: bool = False) -> Iterator[Item]:
        """Go through items, counting each as a step when the next is asked for, with a checkpoint at least each second.

        What a step writes to the database joins one transaction with the checkpoint that counts the step. So when a
        worker dies, each step has been made either wholly or not at all, and the next run goes on with the others.
        Steps that write share such a transaction for up to HOLD_AT_MOST seconds. With `every_step` there is a
        checkpoint after each, for steps whose effects are elsewhere and must not be repeated.

        A query is read in batches, in constant memory however long it is. It must be ordered, ascending, by columns
        that together are unique, or not at all, which means by its primary key. Anything else must give the same items
        in the same order in each run. Unless the task has said what its total is, it becomes what is done by then
        and the number of these items, if that is known. A loop that is left by `break` counts as done. Raises
        RuntimeError for a loop in a loop.
        """
        if self._looping:
            raise RuntimeError("each() within each(): only one loop counts steps; write a plain one inside")
        number = self._next_loop()
        if self._positions[number] == END:
            return
        loop = self._loop = loop_over(items, self._positions[number])
        if not self._total_was_said:
            remaining = loop.remaining
            self._total = None if remaining is None else self._done + remaining
        self._stop_if_asked()
        self._looping = True
        self._last_step = time.monotonic()
        self._unit.arm()
        try:
            for item in loop:
                yield item
                loop.passed(item)
                self._step_is_done(number)
                if self._stop or every_step or self._unit.begun or time.monotonic() >= self._next_checkpoint:
                    self._between_steps(every_step)
        except GeneratorExit:
            self._left = number
            raise
        else:
            self._end_loop(number)
        finally:
            if not self._abandoned:
                self._looping = False
                self._unit.disarm()

    def checkpoint(self) -> None:
        """Save what is done, with the task's own cursor: all effects so far stand, and the next run goes on from here.

        `each` does this by itself; after one within a step, the next run makes that step again. Raises LostTask when
        another run has the task; the effects are then undone.
        """
        if self._stop is LostTask:
            raise LostTask
        self._go_on()
        if self._looping and self._positions[self._loops - 1] != END:
            self._positions[self._loops - 1] = self._loop.position
        cursor = {"done": self._done, "total": self._total, "loops": self._positions, "own": self.cursor}
        cursor["artifacts"] = self._left_by
        with self._unit.closing():
            for writer in self._writers:
                writer.flush()
            if not self._task.checkpoint(deepcopy(cursor), self._done, self._total, self._stage, limits.lease):
                raise LostTask
        self._kept = (self._done, self._total)
        self._reported = (self._done, self._total, self._stage)
        self._next_checkpoint = time.monotonic() + CHECKPOINT_EVERY
        if self._looping:
            self._unit.arm()

    def wait(self, seconds: float) -> None:
        """Do nothing for so long. Returns early when the run should stop; the next step then raises."""
        self._go_on()
        self._wake.wait(seconds)

    def stage(self, text: str) -> None:
        """Say in a few words what the task is doing now. Also where the run may stop, if not within `each`."""
        self._stage = text
        self.advance(0)

    def rename(self, title: str) -> None:
        """Call the task otherwise from now on, in at most 200 characters. Writes at once."""
        self._go_on()
        self._task.rename(title)

    def log(self, text: str) -> None:
        """Add a line to the task's timeline. Writes at once: for what is worth remembering, not for each step."""
        self._go_on()
        self._task.log(text)

    @contextmanager
    def artifact(self, name: str) -> Iterator[ArtifactWriter]:
        """A file for the owner to download, written in constant memory: `with task.artifact("a.csv") as out: …`.

        Each checkpoint keeps what was written; a later run that opens the same name goes on behind that. So write the
        beginning only while `out.size` is 0, and the rest in the steps of `each`.
        """
        with self._writer(name, Kind.FILE) as out:
            self._writers.append(out)
            try:
                yield out
            finally:
                self._writers.remove(out)
        if not self._looping:
            self.checkpoint()  # it is complete, and no later run makes it again

    def attach(
        self, name: str, data: str | bytes | None = None, *, url: str | None = None, text: str | None = None
    ) -> Artifact:
        """Leave a whole artifact at once: a file's data, a link (http or https), or a text to read on the page."""
        given = {Kind.FILE: data, Kind.LINK: None if url is None else checked_link(url), Kind.TEXT: text}
        contents = {kind: content for kind, content in given.items() if content is not None}
        if len(contents) != 1:
            raise TypeError("attach takes one of data, url and text")
        [(kind, content)] = contents.items()
        with self._writer(name, kind) as out:
            out.write(content)
        return out.artifact

    # For the reporter and the engine

    def ask_to_stop(self, stop: type[Stop]) -> None:
        """End this run at its next step, and any `wait` now. The first reason stands, unless the task is lost."""
        if self._stop is None or stop is LostTask:
            self._stop = stop
        self._wake.set()

    def unreported(self) -> tuple[int, int | None, str] | None:
        """How far it is, if that has not been reported; from another thread than the run's."""
        now = (self._done, self._total, self._stage)
        return None if now == self._reported else now

    def was_reported(self, news: tuple[int, int | None, str]) -> None:
        """Remember what the row says by now."""
        self._reported = news

    @property
    def has_written(self) -> bool:
        """Whether it has begun any artifact."""
        return bool(self._names)

    def finish(self) -> None:
        """The function has returned. Raises LostTask when another run has the task by now."""
        self._go_on()
        if self._stop is LostTask or self._unit.begun:
            self.checkpoint()

    def abandon(self) -> None:
        """The function has raised: undo what was written since the latest checkpoint, and count as done what stands."""
        self._abandoned = True
        if self._unit.abandon():
            self._done, self._total = self._kept

    def _next_loop(self) -> int:
        """The number of the loop that begins, by which a later run knows it again."""
        self._go_on()
        number, self._loops = self._loops, self._loops + 1
        self._positions += [None] * (self._loops - len(self._positions))
        self._left_by += [Counter() for _ in range(self._loops - len(self._left_by))]
        self._names.update(self._left_by[number])
        return number

    def _end_loop(self, number: int) -> None:
        self._positions[number] = END
        if self._unit.begun or time.monotonic() >= self._next_checkpoint:
            self.checkpoint()

    def _go_on(self) -> None:
        """The function has gone on after a loop that it left: that was no error, so what the loop wrote stands."""
        if self._left is not None and not self._abandoned:
            number, self._left = self._left, None
            self._step_is_done(number)
            self._end_loop(number)

    def _step_is_done(self, number: int) -> None:
        self._done += 1
        if self._step_left:
            self._left_by[number].update(self._step_left)
            self._step_left = []

    def _between_steps(self, every_step: bool) -> None:
        now, begun = time.monotonic(), self._unit.begun
        # Where steps are slow, the next one would hold for as long as it takes what this one wrote.
        held = begun is not None and now - min(begun, self._last_step) >= HOLD_AT_MOST
        self._last_step = now
        if every_step or self._stop or held or now >= self._next_checkpoint:
            self.checkpoint()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        """A run that has made its last step is let to finish, unless it has lost its task."""
        if self._stop and (self._stop is LostTask or self._done != self._total):
            raise self._stop

    def _fence(self) -> None:
        with family.changing(self._task):
            if not self._task.renew(limits.lease):
                raise LostTask

    def _writer(self, name: str, kind: Kind) -> ArtifactWriter:
        self._go_on()
        nth, self._names[name] = self._names[name], self._names[name] + 1
        if self._looping:
            self._step_left.append(name)
        return ArtifactWriter(self._task, name, kind, nth, limits.keep_artifacts)
