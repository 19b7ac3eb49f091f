"""The executor: claims the task whose turn it is, runs its function, and records the outcome."""

import json
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

from tasks.engine import registry
from tasks.engine.config import config
from tasks.engine.errors import Postponed, TaskError, TimedOut
from tasks.engine.heartbeat import monitor
from tasks.engine.models import Artifact, IllegalTransition, Task
from tasks.engine.models.phrases import NOT_SAVED, UNEXPECTED, UNKNOWN
from tasks.engine.parameters.arguments import load_arguments
from tasks.engine.parameters.conversions import Place
from tasks.engine.recording import Transition, claim, record_end
from tasks.engine.retries import Retries
from tasks.engine.run import Own, Run
from tasks.engine.stop_flag import LeaseLost, MakingWay, ShuttingDown, StopRequested
from tasks.engine.timeouts import alarm
from webapp.db import locks_rows
from webapp.db.resilience import close_if_broken, is_unavailable
from webapp.lib import logs
from webapp.lib.error_shape import shape_of, shape_of_words
from webapp.lib.outage import one_line
from webapp.lib.phrases import Words

log = logging.getLogger(__name__)

SHORTEST_WAIT, LONGEST_WAIT = 0.005, 0.1  # seconds, between claims, while a start waits for its moment


def _stops_here() -> bool:
    return False


def execute_next(goes_on: Callable[[], bool] = _stops_here) -> bool:
    """Claim the task whose turn it is and execute it; and the next ones, while this worker `goes_on` and some wait.

    Returns False, changing nothing, when none waits. Whatever a function does is recorded on its task's row, however
    long the database is away until then. Raises only when the whole process is interrupted, or when the database is
    away as the process is told to stop; the task is then rescued once its lease has ended.
    """
    found, task = False, None
    while True:
        try:
            with config().run_context():
                task = task or claim()
                if task is None:
                    if goes_on() and _waits_for_start():
                        continue
                    return found
                found, task = True, execute(task, Run(task, _is_limited(task)), goes_on=goes_on)
        finally:
            close_if_broken()
        if task is None and not ((locks_rows() or Task.seconds_to_start() is not None) and goes_on()):
            return True


def _waits_for_start() -> bool:
    """Wait a moment where tasks wait for theirs, since so many of their kind may start in a second."""
    seconds = Task.seconds_to_start()
    if seconds is not None:
        time.sleep(min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT))
    return seconds is not None


def _is_limited(task: Task) -> bool:
    function = registry.functions.get(task.name)
    return function is None or function.is_limited


def execute(task: Task, run: Run, monitored: bool = True, goes_on: Callable[[], bool] = _stops_here) -> Task | None:
    """Run the function of a task that has just been claimed, and record the outcome.

    Returns the next task where this worker `goes_on` and has claimed one with that. Without the heartbeat, a run that
    is not `monitored` renews its lease by its own checkpoints only, and is not told to stop. All that is logged
    meanwhile names the task, and the request that started it.
    """
    about = {"task_id": task.id, "kind": task.name, "attempt": task.attempts, "user_id": task.user_id}
    with logs.context(request_id=task.request_id, **about):
        return _execute(task, run, monitored, goes_on)


def _execute(task: Task, run: Run, monitored: bool, goes_on: Callable[[], bool]) -> Task | None:
    begun = time.monotonic()
    log.info("The run begins")
    transition = _run_function(task, run, monitored)
    task.done, task.total = run.done, run.total
    if transition in (task.hand_back, task.make_way) or run.has_artifacts:
        goes_on = _stops_here  # what follows the end may fail, and must not take the next task along
    try:
        following = record_end(task, transition, goes_on)
    except IllegalTransition as error:
        # The last step came as somebody else moved the task on; what the row says stands.
        log.warning("The task was %s when its run ended", error.task.state)
        return None
    if task.is_finished and not task.cursor and run.has_artifacts:
        Artifact.discard(task, unfinished=True)
    reason = f": {words}" if (words := task.error_words()) else ""
    log.info("The run ends after %.3f s: %s%s", time.monotonic() - begun, task.state, reason)
    return following


def _run_function(task: Task, run: Run, monitored: bool) -> Transition:
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
        if result is not None:
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


def _outcome(task: Task, run: Run, retries: Retries, error: BaseException) -> Transition:
    """The transition that records how a run ended by an exception."""
    words: Words
    match error:
        case StopRequested():
            return task.acknowledge_stop
        case ShuttingDown() | KeyboardInterrupt():
            return task.hand_back
        case MakingWay():
            return task.make_way
        case LeaseLost():
            return partial(log.warning, "The task was taken over by another run")
        case TimedOut():
            ended, shape = run.clock.message, shape_of_words(run.clock.message, error)
            return partial(task.time_out, ended, retries.wait(task.attempts), run.clock.made_progress, shape)
        case Postponed():
            return partial(task.postpone, error.until, error.words)
        case TaskError():
            words, shape = error.words, shape_of(error, error.words)
        case Exception() | SystemExit():
            if is_unavailable(error):
                log.warning("The run was interrupted: %s", one_line(error))
                return partial(task.interrupt, NOT_SAVED(), shape_of_words(NOT_SAVED(), error))
            log.exception("The run failed unexpectedly", exc_info=error)
            words, shape = UNEXPECTED(), shape_of(error)
        case _:
            raise error
    if task.attempts <= task.retries and retries.allow(error):
        return partial(task.retry_later, retries.wait(task.attempts), words, shape)
    return partial(task.fail, words, shape)
