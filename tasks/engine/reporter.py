"""The reporter: one thread in each worker process that writes the progress of its runs and hears who wants them to end.

It is also their heartbeat: it renews the leases by which they hold their tasks, on a connection of its own. However
fast a task steps, its row is written at most once in REPORT_EVERY seconds; however slow, its latest step is on the page
within that time. A step itself touches no database.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tasks.engine.limits import limits
from tasks.engine.run import Asked, LostTask, Released, Run
from webapp import seldom
from webapp.models import IllegalMove, Task
from webapp.models.state import LET_GO
from webapp.resilience import close_if_broken

log = logging.getLogger(__name__)

REPORT_EVERY = 0.5
# How long after its timeout a run that does not end by the alarm has its process killed.
KILL_AFTER = 5.0

_start = threading.Lock()
_thread: threading.Thread | None = None


@dataclass(eq=False)
class _Watched:
    run: Run
    task: Task  # a row of its own: the run's thread changes the other one
    renew_at: float
    deadline: float | None
    too_long: str


_runs: set[_Watched] = set()


def _never() -> bool:
    return False


# Whether this worker was told to shut down; the worker's entry point says how to ask.
is_shutting_down: Callable[[], bool] = _never


@contextmanager
def reporting(run: Run, task: Task, timeout: float | None = None, too_long: str = "") -> Iterator[None]:
    """Report a run and hold its lease while the block lasts. Costs no query by itself.

    With a `timeout`, a run that is still there KILL_AFTER seconds later fails in these words, and its process ends.
    """
    _ensure_thread()
    own = Task(id=task.id, user=task.user_id, owner=task.owner, state=task.state, parent=task.parent_id)
    own.root, own.started_at, own.worked, own.quiet = task.root_id, task.started_at, task.worked, task.quiet
    now = time.monotonic()
    watched = _Watched(run, own, now + _third(), now + timeout + KILL_AFTER if timeout else None, too_long)
    _runs.add(watched)
    try:
        yield
    finally:
        _runs.discard(watched)


def report(watched: _Watched) -> None:
    """Write a run's progress if there is news, renew its lease in time, and tell the run if it should stop."""
    run, task = watched.run, watched.task
    if is_shutting_down():
        run.ask_to_stop(Released)
    if watched.deadline and time.monotonic() >= watched.deadline:
        _kill(watched)
    if time.monotonic() >= watched.renew_at:
        watched.renew_at = time.monotonic() + _third()
        if not task.renew(limits.lease):
            run.ask_to_stop(LostTask)
            return
    news = run.unreported()
    if news and task.advance(*news):
        run.was_reported(news)
        return
    if not news and task.is_mine_and_running():
        return
    now = Task.get_or_none(Task.id == task.id, Task.owner == task.owner)
    run.ask_to_stop(Asked if now and now.state in LET_GO else LostTask)


def _third() -> float:
    return limits.lease.total_seconds() / 3


def _kill(watched: _Watched) -> None:
    """End this process, whose run hears no alarm; the consumer starts another."""
    try:
        watched.task.done, watched.task.total = watched.run.done, watched.run.total
        watched.task.fail(watched.too_long)
    except IllegalMove:
        log.warning("Task %s was lost, and its run does not end", watched.task.id)
    log.error("Task %s does not end: killing its process", watched.task.id)
    os.kill(os.getpid(), signal.SIGKILL)


def _ensure_thread() -> None:
    global _thread
    with _start:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_report_forever, name="reporter", daemon=True)
            _thread.start()


def _report_forever() -> None:
    while True:
        time.sleep(min(REPORT_EVERY, _third() / 2))
        for watched in list(_runs):
            try:
                report(watched)
            except Exception as error:
                # The run goes on: its progress is tried again at the next turn, and its outcome is written elsewhere.
                seldom.warning(log, "Could not report the progress of task %s: %s", watched.task.id, error)
                close_if_broken()


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _thread, _start
    _thread, _start = None, threading.Lock()
    _runs.clear()


os.register_at_fork(after_in_child=_forget)
