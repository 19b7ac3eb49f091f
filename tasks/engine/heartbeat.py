"""The heartbeat: one thread in each worker process that renews the leases of its runs and writes their progress.

By that it also learns when a run should stop, and tells it. It has a database connection of its own. However fast a
task steps, its row is written at most once in `Config.report_every` seconds; however slow, its latest step is on the
page within twice that time. A step itself touches no database.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tasks.engine.config import config
from tasks.engine.models import Task
from tasks.engine.models.making_way import runs_before
from tasks.engine.models.state import ON_RELEASE
from tasks.engine.run import Run
from tasks.engine.stop_flag import LeaseLost, MakingWay, ShuttingDown, StopRequested
from webapp.db import database
from webapp.db.resilience import away, close_if_broken, is_unavailable
from webapp.lib import logs
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)
_trouble = Outage(log, "The progress of a task could not be reported")

_start = threading.Lock()
_thread: threading.Thread | None = None


@dataclass(eq=False)
class _MonitoredRun:
    run: Run
    task: Task  # the run's own row, which this thread only reads
    renew_at: float  # by time.monotonic(), as the next two are
    begun_at: float = field(default_factory=time.monotonic)
    waited_for_at: float = 0.0  # when to look next whether it is to make way


_runs: set[_MonitoredRun] = set()


@contextmanager
def monitor(run: Run, task: Task) -> Iterator[None]:
    """Keep a run's lease and write its progress while the block lasts, unless `Config.heartbeat` is off.

    Costs no query by itself.
    """
    if not config().heartbeat:
        yield
        return
    _ensure_thread()
    monitored = _MonitoredRun(run, task, time.monotonic() + _renewal_interval())
    _runs.add(monitored)
    try:
        yield
    finally:
        _runs.discard(monitored)


def _beat(monitored: _MonitoredRun) -> None:
    """Renew a run's lease in time, write its progress if there is any, and tell the run if it should stop."""
    run, task = monitored.run, _private_copy(monitored.task)
    if config().is_shutting_down():
        run.ask_to_stop(ShuttingDown)
    if time.monotonic() >= monitored.renew_at:
        monitored.renew_at = time.monotonic() + _renewal_interval()
        if not task.renew(config().lease):
            run.ask_to_stop(LeaseLost)
            return
    has_news = run.progress != run.throttle.written
    if _write_progress(run, task) if has_news else task.is_mine_and_running():
        if _is_to_make_way(monitored):
            run.ask_to_stop(MakingWay)
        return
    now = Task.get_or_none(Task.id == task.id, Task.fencing_token == task.fencing_token)
    run.ask_to_stop(StopRequested if now and now.state in ON_RELEASE else LeaseLost)


def _write_progress(run: Run, task: Task) -> bool:
    """Write how far the run is, if that may be written now. False, with nothing written, when the run should stop."""
    with database.transaction():
        # Not before: on SQLite this may have waited for a run that wrote it meanwhile, with its own checkpoint.
        progress = run.throttle.take(run.progress)
        # A run that writes its own progress may have taken its turn each time: then only its row says what is wanted.
        goes_on = task.advance(*progress) if progress else task.is_mine_and_running()
    if progress and goes_on:
        run.throttle.written = progress
    return goes_on


def _is_to_make_way(monitored: _MonitoredRun) -> bool:
    """Whether the run has had its turn, and somebody waits of whom nothing runs. It has got further by then, or it
    would begin anew each time."""
    now, turn, apart = time.monotonic(), config().turn, config().turns_apart
    has_had_turn = now >= max(monitored.begun_at + turn, monitored.waited_for_at)
    if not has_had_turn or not monitored.run.clock.made_progress:
        return False
    monitored.waited_for_at = now + apart
    before = runs_before(monitored.task)
    return before is not None and now >= monitored.begun_at + turn + before * apart


def _private_copy(task: Task) -> Task:
    """The whole row as the run has it, for signal receivers; what this thread changes in it is not the run's."""
    copy = Task()
    copy.__data__ = dict(task.__data__)
    return copy


def _renewal_interval() -> float:
    return config().lease.total_seconds() / 3


def _ensure_thread() -> None:
    global _thread
    with _start:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_beat_forever, name="heartbeat", daemon=True)
            _thread.start()


def _beat_forever() -> None:
    while True:
        time.sleep(min(config().report_every, _renewal_interval() / 2))
        for monitored in list(_runs):
            try:
                _beat(monitored)
            except Exception as error:
                # The run goes on: its progress is tried again at the next turn, and its outcome is written elsewhere.
                _log_trouble(monitored.task, error)
                close_if_broken()


def _log_trouble(task: Task, error: Exception) -> None:
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
