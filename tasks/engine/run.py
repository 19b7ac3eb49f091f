"""Run: the first argument of a task function, by which it reports progress and leaves what it made."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

from tasks.engine.models import Artifact, ArtifactWriter, Task
from tasks.engine.models.owner import OwnerRow
from tasks.engine.progress_throttle import Progress, ProgressThrottle
from tasks.engine.run_clock import RunClock
from tasks.engine.steps import Steps
from tasks.engine.stop_flag import MakingWay, ShuttingDown, Stop
from webapp.lib.phrases import Words

Item = TypeVar("Item")
Own: TypeAlias = Any  # type: ignore[explicit-any]  # JSON of task functions, which know what they have put there


class Run:
    """One run of a task. Steps are cheap: they count in memory, and the heartbeat writes them at a bounded rate.

    A run that should stop raises a Stop through the task function, between two steps. Whatever happens to it, what was
    done by its latest checkpoint stands, and the next run goes on from there.
    """

    def __init__(self, task: Task, is_limited: bool = True) -> None:
        """`is_limited` says whether what it makes may be no more than its owner has room for."""
        self._task = task
        self._steps = Steps(task, is_limited)

    @property
    def user(self) -> OwnerRow:
        """Who started the task: a row of the model that `owned_by` was told."""
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
    def cursor(self) -> Own:
        """The task's own cursor: any JSON, saved with each checkpoint and given to the next run. None at first."""
        return self._steps.cursor

    @cursor.setter
    def cursor(self, value: Own) -> None:
        self._steps.cursor = value

    @property
    def done(self) -> int:
        """How many steps are done, including those of earlier runs; 0 at the very beginning."""
        return self._steps.loops.done

    @property
    def total(self) -> int | None:
        """How many steps there are; None while that is unknown, and the bar then shows no share."""
        return self._steps.loops.total

    @total.setter
    def total(self, number: int | None) -> None:
        self._steps.loops.total = number

    @property
    def results(self) -> list[Own]:
        """For a child of a chain or a chord: what the functions of the step before returned, in order."""
        task = self._task
        before = Task.select(Task.result).where(Task.parent == task.parent_id, Task.step == task.step - 1)
        return [child.result for child in before.order_by(Task.created_at, Task.id)] if task.parent_id else []

    def advance(self, steps: int = 1) -> None:
        """Count steps by hand. Raises a Stop when the run should stop, but not within `each`.

        The step that completes the total does not raise either: it may be the function's last.
        """
        self._steps.advance(steps)

    def each(self, items: Iterable[Item], every_step: bool = False) -> Iterator[Item]:
        """Go through items, counting each as a step when the next is asked for, with a checkpoint at least each second.

        What a step writes to the database is in one transaction with the checkpoint that counts the step. So when a
        worker dies, each step has been made either wholly or not at all, and the next run goes on with the others.
        Steps that write share such a transaction for up to `Config.hold_at_most` seconds. With `every_step` there is a
        checkpoint after each, for steps whose effects are elsewhere and must not be repeated.

        A query is read in batches, in constant memory however long it is. It must be ordered, ascending, by columns
        that together are unique; without an order, it is read by its primary key. Any other iterable must give the
        same items in the same order in each run. Unless the task has set its total, that becomes the steps done so far
        and the number of these items, if that is known. A loop left by `break` counts as done. Raises RuntimeError for
        a loop in a loop.
        """
        return self._steps.go_through(items, every_step)

    def batches(self, items: Iterable[Item], size: int = 200) -> Iterator[list[Item]]:
        """Go through items in lists of up to `size`, for many small writes: each list is one transaction.

        Otherwise as `each`: every item counts as a step. Items are read while no transaction is open, so slow reading,
        such as parsing a file, blocks no other writer. Write each list at once.
        """
        return self._steps.go_through(items, every_step=True, size=size)

    def checkpoint(self) -> None:
        """Save what is done, with the task's own cursor: all effects so far stand, and the next run goes on from here.

        `each` does this by itself; after a checkpoint within a step, the next run makes that step again. Raises
        LeaseLost when another run has the task, and the effects are undone. Outside of `each`, the run may stop here.
        """
        self._steps.save()
        self._steps.stop_outside_of_each()

    def wait(self, seconds: float) -> None:
        """Sleep, but wake when the run should stop; outside of `each`, it stops here.

        A step of `each` is made to its end, so further waits in it last a second each at most.
        """
        self._steps.wait(seconds)

    def stage(self, text: Words) -> None:
        """Say in a few words, a text or a phrase, what the task is doing. Outside of `each`, the run may stop here."""
        self._steps.checkpoints.stage = text
        self._steps.advance(0)

    def rename(self, title: Words) -> None:
        """Give the task another title, of at most 200 characters. Writes at once."""
        self._steps.go_on()
        self._task.rename(title)

    def log(self, text: Words) -> None:
        """Add a line to the task's timeline, a text or a phrase, for what is worth remembering.

        It is written once: now or, while a transaction is open, when that is committed or rolled back. Raises
        LeaseLost when another run has the task.
        """
        self._steps.log(text)

    @contextmanager
    def artifact(self, name: str, is_shown: bool = True) -> Iterator[ArtifactWriter]:
        """A file for the owner to download, written in constant memory: `with task.artifact("a.csv") as out: …`.

        Each checkpoint saves what was written; a later run that opens the same name appends to that. So write the
        beginning only while `out.size` is 0, and the rest in the steps of `each`. One that is not to be shown nobody
        ever sees: it is for the task's own use, read by `out.artifact.chunks()` and deleted with it, or by the task.
        """
        self._steps.go_on()
        with self._steps.artifacts.file(name, within_step=self._steps.loops.is_in_loop, is_shown=is_shown) as out:
            yield out
        if not self._steps.loops.is_in_loop:
            self._steps.save()  # it is complete, and no later run makes it again

    def attach(
        self, name: str, data: str | bytes | None = None, *, url: str | None = None, text: str | None = None
    ) -> Artifact:
        """Leave a whole artifact at once: a file's data, a link (http or https), or a text to read on the page.

        Raises TypeError unless it is exactly one of them.
        """
        self._steps.go_on()
        return self._steps.artifacts.attach(name, data, url, text, within_step=self._steps.loops.is_in_loop)

    # For the engine

    @property
    def clock(self) -> RunClock:
        """By when it must show progress, or end."""
        return self._steps.clock

    @property
    def progress(self) -> Progress:
        """How far it is. Safe to ask from another thread."""
        return self._steps.checkpoints.progress

    @property
    def throttle(self) -> ProgressThrottle:
        """What of its progress is written when."""
        return self._steps.checkpoints.throttle

    @property
    def has_artifacts(self) -> bool:
        """Whether it has begun any artifact."""
        return not self._steps.artifacts.is_empty

    def ask_to_stop(self, reason: type[Stop]) -> None:
        """End this run at its next step, and any `wait` now. Safe to call from another thread."""
        self._steps.stop.set(reason)
        if reason not in (ShuttingDown, MakingWay):  # nobody has asked for those two, and waits for an end in time
            self.clock.stop_requested()

    def finish(self) -> None:
        """The function has returned. Raises LeaseLost when another run has the task by now."""
        self._steps.finish()

    def abandon(self) -> None:
        """The function has raised: undo what was written since the latest checkpoint, and count as done what stands."""
        self._steps.abandon()
