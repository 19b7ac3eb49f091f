"""Performing: ring the queue's doorbell for a task; answer it by claiming, running and recording."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from uuid import UUID

from tasks.engine import registry, reporter
from tasks.engine.reporter import reporting
from tasks.engine.run import Canceled, LostTask, Released, Run, TaskError
from tasks.queue import huey
from webapp.database import after_commit, close_if_broken, persistently
from webapp.models import Artifact, IllegalMove, State, Task
from webapp.times import utcnow

log = logging.getLogger(__name__)

UNEXPECTED = "Something unexpected went wrong. It was written to the log, and it is not your fault."
UNKNOWN = "This version of Errand does not know this kind of task."

# What surrounds each run; the worker's entry point puts the app's context here, so that mail and templates work.
surroundings: Callable[[], AbstractContextManager[object]] = nullcontext


@huey.task(name="perform")
def perform_message(task_id: str) -> None:
    """What the queue's messages call. Harmless when its message arrives twice, late, or for nothing."""
    if reporter.is_shutting_down():
        push(UUID(task_id))  # it was waiting for a message as it was told to stop; another worker should have this
    else:
        perform(UUID(task_id))


def push(task_id: UUID) -> None:
    """Send a task's message and stamp the row. Raises when the queue or the database does not answer.

    Sending it twice is harmless: a task is claimed once.
    """
    huey.enqueue(perform_message.s(str(task_id)))
    # A worker may have been faster, and may even have given the task back: then the stamp would be of another push.
    Task.update(pushed_at=utcnow()).where(Task.id == task_id, Task.state == State.PENDING).execute()


def perform(task_id: UUID) -> None:
    """Claim a task and carry it out. Returns at once, changing nothing, when it is not there to be claimed.

    Whatever its function does is recorded on the row; nothing but a failing database or an interruption of the whole
    process comes through as an exception.
    """
    try:
        with surroundings():
            task = persistently(lambda: Task.claim(task_id))
            if task:
                _carry_out(task)
    finally:
        close_if_broken()


def _carry_out(task: Task) -> None:
    begun = time.monotonic()
    if task.attempts > 1:
        Artifact.discard(task)
    run = Run(task)
    with reporting(run, task):
        record = _run_function(task, run)
    task.done, task.total = run.done, run.total
    try:
        persistently(record)
    except IllegalMove as error:
        # The last step came as somebody else moved the task on; what the row says stands.
        log.warning("Task %s was %s when its run ended", task.id, error.task.state)
        return
    log.info("Task %s %s: %s after %.3f s", task.id, task.name, task.state, time.monotonic() - begun)


def _run_function(task: Task, run: Run) -> Callable[[], None]:
    """Run the task's function to its end, whatever that is; returns the move that records it."""
    function = registry.functions.get(task.name)
    if function is None:
        return partial(task.fail, UNKNOWN)
    try:
        function.body(run, **task.arguments)
    except Canceled:
        return task.acknowledge_cancel
    except (Released, KeyboardInterrupt):
        return partial(_give_back, task)
    except LostTask:
        return partial(log.warning, "Task %s was taken over by another run", task.id)
    except TaskError as error:
        return partial(task.fail, str(error))
    except (Exception, SystemExit):
        log.exception("Task %s %s failed", task.id, task.name)
        return partial(task.fail, UNEXPECTED)
    return task.succeed


def _give_back(task: Task) -> None:
    try:
        task.release()
    except IllegalMove as error:
        if error.task.state != State.CANCELING:
            raise
        task.acknowledge_cancel()
    else:
        after_commit(lambda: push(task.id))  # another worker may be free
