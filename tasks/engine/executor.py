"""Performing: claim the task whose turn it is, run its function, and record what came of it."""

import json
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count
from uuid import uuid4

from peewee import DataError

from tasks.engine import heartbeat, registry
from tasks.engine.config import config
from tasks.engine.heartbeat import reporting
from tasks.engine.parameters import read_back
from tasks.engine.retries import Retries, TaskError, TimedOut
from tasks.engine.run import LeaseLost, Run, ShuttingDown, StopRequested
from tasks.engine.timeouts import alarm
from webapp.db.resilience import close_if_broken, is_unavailable, tirelessly
from webapp.lib import logs
from webapp.lib.outage import one_line
from webapp.models import Artifact, IllegalTransition, Task

log = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong on our side. We’ve logged the error."
UNKNOWN = "This version of the site doesn’t know this kind of task."
NOT_SAVED = "The database didn’t respond."

# What surrounds each run; the worker's entry point puts the app's context here, so that mail and templates work.
run_context: Callable[[], AbstractContextManager[object]] = nullcontext

Record = Callable[[], object]


def execute_next() -> bool:
    """Claim the task whose turn it is and carry it out. Returns False, changing nothing, when none waits.

    Whatever its function does is recorded on the row, however long the database is away until then; nothing but an
    interruption of the whole process comes through as an exception, or the database's absence when that was told to
    stop. The task is then rescued once its lease has ended.
    """
    try:
        with run_context():
            task = _claim()
            if task:
                execute(task, Run(task))
    finally:
        close_if_broken()
    return task is not None


def _claim() -> Task | None:
    """Take the task whose turn it is. The token is known beforehand: a claim whose answer was lost is found by it."""
    token = uuid4().hex
    tries = count()

    def claim() -> Task | None:
        lost = Task.leased_by(token) if next(tries) else None
        return lost or Task.claim(config.lease, token)

    return tirelessly(claim, _gives_up)


def _gives_up() -> bool:
    """Nobody waits for a worker that was told to stop."""
    return heartbeat.is_shutting_down()


def execute(task: Task, run: Run, watched: bool = True) -> None:
    """Run the function of a task that has just been claimed to its end, and record what came of it.

    A run that is not `watched` by the reporter keeps its lease by its own steps only, and hears nobody's wishes. All
    that is logged meanwhile names the task.
    """
    with logs.context(task_id=task.id, kind=task.name, attempt=task.attempts, user_id=task.user_id):
        _execute(task, run, watched)


def _execute(task: Task, run: Run, watched: bool) -> None:
    begun = time.monotonic()
    log.info("The run begins")
    record = _run_function(task, run, watched)
    task.done, task.total = run.done, run.total
    before, tries = dict(task.__data__), count()

    def write() -> None:
        """Record how it ended. May be tried twice: the first try may have changed the row here, or also there."""
        again, tried = next(tries), dict(task.__data__)
        task.__data__.update(before)
        try:
            record()
        except IllegalTransition as error:
            if not again or (error.task.state, error.task.updated_at) != (tried["state"], tried["updated_at"]):
                raise
            task.__data__.update(error.task.__data__)  # only the answer to the first try was lost
        except (DataError, ValueError):
            # What it returned, or its words, hold what this database cannot; to run it again would change nothing.
            log.exception("How the run ended cannot be recorded")
            task.__data__.update(before)
            task.fail(UNEXPECTED)

    try:
        tirelessly(write, _gives_up)
    except IllegalTransition as error:
        # The last step came as somebody else moved the task on; what the row says stands.
        log.warning("The task was %s when its run ended", error.task.state)
        return
    if task.is_finished and not task.cursor and run.has_written:
        Artifact.discard(task, unfinished=True)
    reason = f": {task.error}" if task.error else ""
    log.info("The run ends after %.3f s: %s%s", time.monotonic() - begun, task.state, reason)


def _run_function(task: Task, run: Run, watched: bool) -> Record:
    """Run the task's function to its end, whatever that is; returns the move that records it."""
    function = registry.functions.get(task.name)
    if function is None:
        return partial(task.fail, UNKNOWN)
    try:
        _make_ready(task, function.retries)
        watch = reporting(run, task) if watched else nullcontext()
        with watch, run.clock.running(task.id.hex, str(task.fencing_token), function.timeout), alarm(run.clock.look):
            result = function.body(run, **read_back(function.parameters, task.arguments))
            run.finish()
        json.dumps(result, allow_nan=False)  # raises here, and not while the outcome is recorded
        return partial(task.succeed, result)
    except BaseException as error:
        run.abandon()
        return _outcome(task, run, function.retries, error)


def _make_ready(task: Task, retries: Retries) -> None:
    """What is written before the function begins. Where that fails the run ends by it, as by what it does itself."""
    if not task.cursor and (task.attempts > 1 or task.rescues or task.run_seconds):
        Artifact.discard(task)  # nothing says how far an earlier run came, so this one begins anew
    task.take_retries(retries.times)


def _outcome(task: Task, run: Run, retries: Retries, error: BaseException) -> Record:
    """The move that records how a run ended by an exception."""
    match error:
        case StopRequested():
            return task.acknowledge_stop
        case ShuttingDown() | KeyboardInterrupt():
            return task.hand_back
        case LeaseLost():
            return partial(log.warning, "The task was taken over by another run")
        case TimedOut():
            return partial(task.time_out, run.clock.words, retries.wait(task.attempts), run.clock.further)
        case TaskError():
            words = str(error)
        case Exception() | SystemExit():
            if is_unavailable(error):
                log.warning("The run was interrupted: %s", one_line(error))
                return partial(task.interrupt, NOT_SAVED)
            log.exception("The run failed unexpectedly", exc_info=error)
            words = UNEXPECTED
        case _:
            raise error
    if task.attempts <= task.retries and retries.allow(error):
        return partial(task.retry_later, retries.wait(task.attempts), words)
    return partial(task.fail, words)
