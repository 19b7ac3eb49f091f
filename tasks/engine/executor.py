"""The executor: claims the task whose turn it is, runs its function, and records the outcome."""

import json
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import count
from uuid import uuid4

from peewee import DataError

from tasks.engine import registry
from tasks.engine.config import config
from tasks.engine.errors import TaskError, TimedOut
from tasks.engine.heartbeat import monitor
from tasks.engine.models import Artifact, IllegalTransition, Task
from tasks.engine.models.phrases import NOT_SAVED, UNEXPECTED, UNKNOWN
from tasks.engine.parameters.arguments import load_arguments
from tasks.engine.parameters.conversions import Place
from tasks.engine.retries import Retries
from tasks.engine.run import Own, Run
from tasks.engine.stop_flag import LeaseLost, ShuttingDown, StopRequested
from tasks.engine.timeouts import alarm
from webapp.db.resilience import close_if_broken, is_unavailable, tirelessly
from webapp.lib import logs
from webapp.lib.outage import one_line
from webapp.lib.phrases import Words

log = logging.getLogger(__name__)


Record = Callable[[], object]


def execute_next() -> bool:
    """Claim the task whose turn it is and execute it. Returns False, changing nothing, when none waits.

    Whatever its function does is recorded on the row, however long the database is away until then. Raises only when
    the whole process is interrupted, or when the database is away as the process is told to stop; the task is then
    rescued once its lease has ended.
    """
    try:
        with config().run_context():
            task = _claim()
            if task:
                execute(task, Run(task))
    finally:
        close_if_broken()
    return task is not None


def _claim() -> Task | None:
    """Claim the task whose turn it is, by a token made beforehand: a claim whose answer was lost is found by it."""
    token = uuid4().hex
    tries = count()

    def claim() -> Task | None:
        lost = Task.leased_by(token) if next(tries) else None
        return lost or Task.claim(config().lease, token)

    return tirelessly(claim, _gives_up)


def _gives_up() -> bool:
    """A worker that was told to stop waits for nothing."""
    return config().is_shutting_down()


def execute(task: Task, run: Run, monitored: bool = True) -> None:
    """Run the function of a task that has just been claimed, and record the outcome.

    Without the heartbeat, a run that is not `monitored` renews its lease by its own checkpoints only, and is not told
    to stop. All that is logged meanwhile names the task.
    """
    with logs.context(task_id=task.id, kind=task.name, attempt=task.attempts, user_id=task.user_id):
        _execute(task, run, monitored)


def _execute(task: Task, run: Run, monitored: bool) -> None:
    begun = time.monotonic()
    log.info("The run begins")
    record = _run_function(task, run, monitored)
    task.done, task.total = run.done, run.total
    before, tries = dict(task.__data__), count()

    def write() -> None:
        """Record the outcome. May be called again after an error that came when the row had changed already."""
        again, tried = next(tries), dict(task.__data__)
        task.__data__.update(before)
        try:
            record()
        except IllegalTransition as error:
            if not again or (error.task.state, error.task.updated_at) != (tried["state"], tried["updated_at"]):
                raise
            task.__data__.update(error.task.__data__)  # the first try succeeded, and only its answer was lost
        except (DataError, ValueError):
            # The result or the error holds what this database cannot store; retrying cannot help.
            log.exception("How the run ended cannot be recorded")
            task.__data__.update(before)
            task.fail(UNEXPECTED())

    try:
        tirelessly(write, _gives_up)
    except IllegalTransition as error:
        # The last step came as somebody else moved the task on; what the row says stands.
        log.warning("The task was %s when its run ended", error.task.state)
        return
    if task.is_finished and not task.cursor and run.has_artifacts:
        Artifact.discard(task, unfinished=True)
    reason = f": {words}" if (words := task.error_words()) else ""
    log.info("The run ends after %.3f s: %s%s", time.monotonic() - begun, task.state, reason)


def _run_function(task: Task, run: Run, monitored: bool) -> Record:
    """Run the task's function; returns the transition that records how it ended."""
    function = registry.functions.get(task.name)
    if function is None:
        return partial(task.fail, UNKNOWN())
    try:
        _prepare(task, function.retries)
        heart = monitor(run, task) if monitored else nullcontext()
        clock = run.clock.running(task.id.hex, str(task.fencing_token), function.options.timeout)
        with heart, clock, alarm(run.clock.check):
            result: Own = function.body(run, **load_arguments(function.parameters, task.arguments, Place(task.id)))
            run.finish()
        json.dumps(result, allow_nan=False)  # raises here, and not while the outcome is recorded
        return partial(task.succeed, result)
    except BaseException as error:
        run.abandon()
        return _outcome(task, run, function.retries, error)


def _prepare(task: Task, retries: Retries) -> None:
    """Write what must be there before the function begins. An error here ends the run as one of the function does."""
    if not task.cursor and (task.attempts > 1 or task.rescues or task.run_seconds):
        Artifact.discard(task)  # an earlier run has left no checkpoint, so this one begins anew
    task.take_retries(retries.times)


def _outcome(task: Task, run: Run, retries: Retries, error: BaseException) -> Record:
    """The transition that records how a run ended by an exception."""
    words: Words
    match error:
        case StopRequested():
            return task.acknowledge_stop
        case ShuttingDown() | KeyboardInterrupt():
            return task.hand_back
        case LeaseLost():
            return partial(log.warning, "The task was taken over by another run")
        case TimedOut():
            return partial(task.time_out, run.clock.message, retries.wait(task.attempts), run.clock.made_progress)
        case TaskError():
            words = error.words
        case Exception() | SystemExit():
            if is_unavailable(error):
                log.warning("The run was interrupted: %s", one_line(error))
                return partial(task.interrupt, NOT_SAVED())
            log.exception("The run failed unexpectedly", exc_info=error)
            words = UNEXPECTED()
        case _:
            raise error
    if task.attempts <= task.retries and retries.allow(error):
        return partial(task.retry_later, retries.wait(task.attempts), words)
    return partial(task.fail, words)
