"""Runs that take no time: tasks really run, in the engine, but do not wait, and may be interrupted at a step."""

from collections.abc import Callable
from contextlib import suppress

from tasks.engine.config import config
from tasks.engine.executor import execute
from tasks.engine.run import Run
from tasks.engine.stop_flag import StopRequested
from webapp.dev.demo.worker import TOKEN
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow
from webapp.models import Task


class InstantRun(Run):
    """A run whose waits take no time. At a step, an interruption may happen to it."""

    def __init__(self, task: Task, step: int, interruption: "Interruption | None") -> None:
        super().__init__(task)
        self._step, self._interruption = step, interruption

    def wait(self, seconds: float) -> None:
        """Go on at once."""
        self._reach(self.done)

    def stage(self, text: Words) -> None:
        """Tell what it is doing, which is where an interruption may come."""
        super().stage(text)
        self._reach(self.done)

    def _reach(self, step: int) -> None:
        if self._interruption and step == self._step:
            interruption, self._interruption = self._interruption, None
            interruption(self)


Interruption = Callable[[InstantRun], None]


class _WorkerLost(BaseException):
    """The worker died in the middle of a run: nothing is recorded, and the lease runs out."""


def lose_worker(run: InstantRun) -> None:
    """Its worker dies; the next sweep gives the task to another."""
    run.checkpoint()
    raise _WorkerLost


def pause_run(run: InstantRun) -> None:
    """Its owner pauses it."""
    Task.get_by_id(run.id).pause()
    run.ask_to_stop(StopRequested)


def cancel_run(run: InstantRun) -> None:
    """Its owner cancels it."""
    Task.get_by_id(run.id).cancel()
    run.ask_to_stop(StopRequested)


def pause_and_lose_worker(run: InstantRun) -> None:
    """Its owner pauses it, and its worker dies before it learns of that."""
    Task.get_by_id(run.id).pause()
    lose_worker(run)


def cancel_and_lose_worker(run: InstantRun) -> None:
    """Its owner cancels it, and its worker dies before it learns of that."""
    Task.get_by_id(run.id).cancel()
    lose_worker(run)


def run_next(step: int = 0, interruption: Interruption | None = None) -> bool:
    """Run the next task in the queue, with an interruption at a step. False if none is queued.

    Without a heartbeat, which could not see rows of a transaction that has not ended.
    """
    task = Task.claim(config().lease, worker=TOKEN)
    if task is None:
        return False
    with suppress(_WorkerLost):
        execute(task, InstantRun(task, step, interruption), monitored=False)
    return True


def retry_now(task: Task) -> None:
    """Run the next attempt of a task that is waiting for it."""
    Task.update(run_at=utcnow()).where(Task.id == task.id).execute()
    task.reload().enqueue()
    run_next()
