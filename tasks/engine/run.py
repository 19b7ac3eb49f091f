"""Run: what a task function gets as its first argument, to say how far it is and to leave what it made."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import Any, TypeVar

from tasks.engine.config import config
from tasks.engine.iteration import loop_over
from tasks.engine.progress_throttle import News, Pace
from tasks.engine.run_clock import Clock
from tasks.engine.run_log import Sayings
from tasks.engine.unit_of_work import UnitOfWork
from webapp.db import database
from webapp.models import Artifact, ArtifactWriter, Task, User
from webapp.models.task.artifact import Kind, checked_link
from webapp.models.task.locks import changing

WAIT_ONCE_ASKED = 1.0  # seconds: how long a further `wait` of a step lasts at most when the run should stop
END = "end"  # the position of a loop that is done
Item = TypeVar("Item")


class Stop(BaseException):
    """Ends a run at its next step. Not an Exception, so that no task function catches it by mistake."""


class StopRequested(Stop):
    """The owner asked the task to stop or to pause."""


class ShuttingDown(Stop):
    """The worker is shutting down: the task goes back to wait for another."""


class LeaseLost(Stop):
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
        # The loop that was left, by `break` or by an error (which, the next call says), and the steps that it was in.
        self._left: tuple[int, int] | None = None
        self._abandoned = False
        self._stage = ""
        self._kept = (self._done, self._total)
        self._pace = Pace((self._done, self._total, ""))
        self.clock = Clock()
        self._stop: type[Stop] | None = None
        self._wake = threading.Event()
        self._has_woken = False
        self._unit = UnitOfWork(self._fence)
        self._sayings = Sayings(task, self._fence)
        self._writers: list[ArtifactWriter] = []
        self._names: Counter[str] = Counter()
        # Where a run has died another may, so that one saves its very first step: it always gets further by that.
        self._next_checkpoint = time.monotonic() + (0 if task.rescues else config.checkpoint_every)
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
        """Count steps as made. Raises a Stop when the run should end here; within `each`, only its own steps do.

        The step that makes the total full raises none: it may be the function's last. What comes after it may.
        """
        self._done += steps
        self._go_on()
        was_last = steps > 0 and self._done == self._total
        if self._stop is LeaseLost or not (self._looping or was_last):
            self._stop_if_asked()

    def each(self, items: Iterable[Item], every_step: bool = False) -> Iterator[Item]:
        """Go through items, counting each as a step when the next is asked for, with a checkpoint at least each second.

        What a step writes to the database joins one transaction with the checkpoint that counts the step. So when a
        worker dies, each step has been made either wholly or not at all, and the next run goes on with the others.
        Steps that write share such a transaction for up to `limits.hold_at_most` seconds. With `every_step` there is a
        checkpoint after each, for steps whose effects are elsewhere and must not be repeated.

        A query is read in batches, in constant memory however long it is. It must be ordered, ascending, by columns
        that together are unique, or not at all, which means by its primary key. Anything else must give the same items
        in the same order in each run. Unless the task has said what its total is, it becomes what is done by then
        and the number of these items, if that is known. A loop that is left by `break` counts as done. Raises
        RuntimeError for a loop in a loop.
        """
        return self._go_through(items, every_step)

    def batches(self, items: Iterable[Item], size: int = 200) -> Iterator[list[Item]]:
        """Go through items in lists of up to `size`, for many small writes: each list is one transaction.

        As `each` in all else: every item counts as a step. Items are read while nothing is being written, so what is
        slow about reading them, such as parsing a file, keeps nobody else from writing; write a list at once.
        """
        return self._go_through(items, every_step=True, size=size)

    def _go_through(self, items: Iterable[Any], every_step: bool, size: int | None = None) -> Iterator[Any]:
        if self._looping:
            raise RuntimeError("each() within each(): only one loop counts steps; write a plain one inside")
        number = self._next_loop()
        self._stop_if_asked()
        if self._positions[number] == END:
            return
        loop = self._loop = loop_over(items, self._positions[number], size)
        if not self._total_was_said:
            remaining = loop.remaining
            self._total = None if remaining is None else self._done + remaining
        self._looping = True
        self._last_step = time.monotonic()
        self._unit.arm()
        try:
            for item in loop:
                yield item
                self._step_is_done(number, loop.passed(item))
                if self._stop or every_step or self._unit.begun or time.monotonic() >= self._next_checkpoint:
                    self._between_steps(every_step)
        except GeneratorExit:
            self._left = number, len(item) if size else 1
            raise
        else:
            self._end_loop(number)
        finally:
            if not self._abandoned:
                self._looping = False
                self._unit.disarm()

    def checkpoint(self) -> None:
        """Save what is done, with the task's own cursor: all effects so far stand, and the next run goes on from here.

        `each` does this by itself; after one within a step, the next run makes that step again. Raises LeaseLost when
        another run has the task; the effects are then undone. Also where the run may stop, if not within `each`.
        """
        self._save()
        if not self._looping:
            self._stop_if_asked()

    def wait(self, seconds: float) -> None:
        """Do nothing for so long. When the run should stop, this ends early, and outside of `each` it stops here.

        A step of `each` is made to its end, so further waits in it last a second each at most.
        """
        self._go_on()
        self.clock.moved(seconds)
        if self._looping and self._has_woken:
            time.sleep(min(seconds, WAIT_ONCE_ASKED))
        else:
            self._has_woken = self._wake.wait(seconds)
        self.clock.moved()
        if self._stop is LeaseLost or not self._looping:
            self._stop_if_asked()

    def stage(self, text: str) -> None:
        """Say in a few words what the task is doing now. Also where the run may stop, if not within `each`."""
        self._stage = text
        self.advance(0)

    def rename(self, title: str) -> None:
        """Call the task otherwise from now on, in at most 200 characters. Writes at once."""
        self._go_on()
        self._task.rename(title)

    def log(self, text: str) -> None:
        """Add a line to the task's timeline: what is worth remembering, not each step.

        It is there at once, or where a transaction is open, when that ends, whichever way; and once. Raises LeaseLost
        when another run has the task.
        """
        self._go_on()
        if database.in_transaction():
            self._sayings.keep(text)
            return
        self._unit.disarm()  # else this would be the write that begins the transaction of the step
        try:
            self._sayings.say(text)
        finally:
            if self._looping:
                self._unit.arm()

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
            self._save()  # it is complete, and no later run makes it again

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
        if self._stop is None or stop is LeaseLost:
            self._stop = stop
        if stop is not ShuttingDown:  # a worker that shuts down waits for nobody in any case
            self.clock.asked()
        self._wake.set()

    @property
    def has_news(self) -> bool:
        """Whether anything may be to be told now; from another thread than the run's."""
        return (self._done, self._total, self._stage) != self._pace.told

    def news(self) -> News | None:
        """How far it is, if that is to be told now; whoever asks then tells it. From another thread than the run's."""
        return self._pace.due((self._done, self._total, self._stage))

    def was_told(self, news: News) -> None:
        """Remember what the row says by now."""
        self._pace.told = news

    @property
    def has_written(self) -> bool:
        """Whether it has begun any artifact."""
        return bool(self._names)

    def finish(self) -> None:
        """The function has returned. Raises LeaseLost when another run has the task by now."""
        self._go_on()
        if self._stop is LeaseLost or self._unit.begun:
            self._save()
        self._sayings.say_all()

    def abandon(self) -> None:
        """The function has raised: undo what was written since the latest checkpoint, and count as done what stands.

        What it has said stands, unless another run has the task.
        """
        self._abandoned = True
        if self._unit.abandon():
            self._done, self._total = self._kept
        if self._stop is not LeaseLost:
            with suppress(LeaseLost):
                self._sayings.say_if_possible()

    def _save(self) -> None:
        """Make a checkpoint."""
        if self._stop is LeaseLost:
            raise LeaseLost
        self._go_on()
        if self._looping and self._positions[self._loops - 1] != END:
            self._positions[self._loops - 1] = self._loop.position
        cursor = {"done": self._done, "total": self._total, "loops": self._positions, "own": self.cursor}
        cursor["artifacts"] = self._left_by
        now = (self._done, self._total, self._stage)
        news = self._pace.due(now)
        further = self.clock.further or self._task.gets_further(cursor)
        with self._unit.closing():
            for writer in self._writers:
                writer.flush()
            self._sayings.write()
            if not self._task.checkpoint(deepcopy(cursor), *now, config.lease, tell=news is not None):
                self._lose()
        self._sayings.were_written()
        self._kept = (self._done, self._total)
        if news:
            self._pace.told = news
        if further:
            self.clock.got_further()
        self._next_checkpoint = time.monotonic() + config.checkpoint_every
        if self._looping:
            self._unit.arm()

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
            self._save()

    def _go_on(self) -> None:
        """The function has gone on: it moves; and a loop that it left was no error, so what that wrote stands."""
        self.clock.moved()
        if self._left is not None and not self._abandoned:
            (number, steps), self._left = self._left, None
            self._step_is_done(number, steps)
            self._end_loop(number)

    def _step_is_done(self, number: int, steps: int = 1) -> None:
        self._done += steps
        self.clock.moved()
        if self._step_left:
            self._left_by[number].update(self._step_left)
            self._step_left = []

    def _between_steps(self, every_step: bool) -> None:
        now, begun = time.monotonic(), self._unit.begun
        # Where steps are slow, the next one would hold for as long as it takes what this one wrote.
        held = begun is not None and (now - min(begun, self._last_step) >= config.hold_at_most or self._loop.reads_next)
        self._last_step = now
        if every_step or self._stop or held or now >= self._next_checkpoint:
            self._save()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        """Not after the last step of a loop: the function may return now, and only that is the end of a run."""
        if self._stop and (self._stop is LeaseLost or not (self._looping and self._loop.is_over)):
            raise self._stop

    def _lose(self) -> None:
        self._stop = LeaseLost
        raise LeaseLost

    def _fence(self) -> None:
        with changing(self._task):
            if not self._task.renew(config.lease):
                self._lose()

    def _writer(self, name: str, kind: Kind) -> ArtifactWriter:
        self._go_on()
        nth, self._names[name] = self._names[name], self._names[name] + 1
        if self._looping:
            self._step_left.append(name)
        return ArtifactWriter(self._task, name, kind, nth, config.keep_artifacts, self.clock.moved)
