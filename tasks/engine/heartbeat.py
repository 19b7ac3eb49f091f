"""The reporter: one thread in each worker process that writes the progress of its runs and hears who wants them to end.

It is also their heartbeat: it renews the leases by which they hold their tasks, on a connection of its own. However
fast a task steps, its row is written at most once in REPORT_EVERY seconds; however slow, its latest step is on the page
within twice that time. A step itself touches no database.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tasks.engine import progress_throttle
from tasks.engine.config import config
from tasks.engine.run import LeaseLost, Run, ShuttingDown, StopRequested
from webapp.db import database
from webapp.db.resilience import away, close_if_broken, is_unavailable
from webapp.lib import logs
from webapp.lib.outage import Outage
from webapp.models import Task
from webapp.models.task.state import ON_RELEASE

log = logging.getLogger(__name__)
_trouble = Outage(log, "The progress of a task could not be reported")

_start = threading.Lock()
_thread: threading.Thread | None = None


@dataclass(eq=False)
class _Watched:
    run: Run
    task: Task  # the run's own row, which this thread only reads
    renew_at: float


_runs: set[_Watched] = set()


def _never() -> bool:
    return False


# Whether this worker was told to shut down; the worker's entry point says how to ask.
is_shutting_down: Callable[[], bool] = _never


@contextmanager
def reporting(run: Run, task: Task) -> Iterator[None]:
    """Report a run and hold its lease while the block lasts. Costs no query by itself."""
    _ensure_thread()
    watched = _Watched(run, task, time.monotonic() + _third())
    _runs.add(watched)
    try:
        yield
    finally:
        _runs.discard(watched)


def _report(watched: _Watched) -> None:
    """Write a run's progress if there is news, renew its lease in time, and tell the run if it should stop."""
    run, task = watched.run, _copy(watched.task)
    if is_shutting_down():
        run.ask_to_stop(ShuttingDown)
    if time.monotonic() >= watched.renew_at:
        watched.renew_at = time.monotonic() + _third()
        if not task.renew(config.lease):
            run.ask_to_stop(LeaseLost)
            return
    if _tell(run, task) if run.has_news else task.is_mine_and_running():
        return
    now = Task.get_or_none(Task.id == task.id, Task.fencing_token == task.fencing_token)
    run.ask_to_stop(StopRequested if now and now.state in ON_RELEASE else LeaseLost)


def _tell(run: Run, task: Task) -> bool:
    """Write how far it is. False, and nothing written, when it should stop."""
    with database.transaction():
        # Not before: on SQLite this may have waited for a run that told it meanwhile, with its own checkpoint.
        news = run.news()
        goes_on = news is None or task.advance(*news)
    if news and goes_on:
        run.was_told(news)
    return goes_on


def _copy(task: Task) -> Task:
    """The whole row as the run has it, for who listens; what this thread changes in it is not the run's."""
    copy = Task()
    copy.__data__ = dict(task.__data__)
    return copy


def _third() -> float:
    return config.lease.total_seconds() / 3


def _ensure_thread() -> None:
    global _thread
    with _start:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_report_forever, name="reporter", daemon=True)
            _thread.start()


def _report_forever() -> None:
    while True:
        time.sleep(min(progress_throttle.REPORT_EVERY, _third() / 2))
        for watched in list(_runs):
            try:
                _report(watched)
            except Exception as error:
                # The run goes on: its progress is tried again at the next turn, and its outcome is written elsewhere.
                _tell_trouble(watched.task, error)
                close_if_broken()


def _tell_trouble(task: Task, error: Exception) -> None:
    if is_unavailable(error):
        away.failed(error)
        return
    with logs.context(task_id=task.id, kind=task.name):
        _trouble.failed(error, traceback=True)


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _thread, _start
    _thread, _start = None, threading.Lock()
    _runs.clear()


os.register_at_fork(after_in_child=_forget)
