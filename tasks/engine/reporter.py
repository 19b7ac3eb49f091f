"""The reporter: one thread in each worker process that writes the progress of its runs and hears who wants them to end.

However fast a task steps, its row is written at most once in REPORT_EVERY seconds; however slow, its latest step is
on the page within that time. A step itself touches no database.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.engine.run import Canceled, LostTask, Released, Run
from webapp.database import close_if_broken
from webapp.models import State, Task

log = logging.getLogger(__name__)

REPORT_EVERY = 0.5

_runs: dict[Run, Task] = {}
_start = threading.Lock()
_thread: threading.Thread | None = None


def _never() -> bool:
    return False


# Whether this worker was told to shut down; the worker's entry point says how to ask.
is_shutting_down: Callable[[], bool] = _never


@contextmanager
def reporting(run: Run, task: Task) -> Iterator[None]:
    """Report a run while the block lasts. Costs no query by itself."""
    _ensure_thread()
    # The thread writes through a row of its own: the run's thread changes the other one.
    _runs[run] = Task(id=task.id, user=task.user_id, owner=task.owner, state=task.state)
    try:
        yield
    finally:
        del _runs[run]


def report(run: Run, task: Task) -> None:
    """Write a run's progress if there is news, and tell the run if it should stop. One transaction or one query."""
    if is_shutting_down():
        run.ask_to_stop(Released)
    news = run.unreported()
    if news and task.advance(*news):
        run.was_reported(news)
        return
    if not news and task.is_mine_and_running():
        return
    now = Task.get_or_none(Task.id == task.id, Task.owner == task.owner)
    run.ask_to_stop(Canceled if now and now.state == State.CANCELING else LostTask)


def _ensure_thread() -> None:
    global _thread
    with _start:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_report_forever, name="reporter", daemon=True)
            _thread.start()


def _report_forever() -> None:
    while True:
        time.sleep(REPORT_EVERY)
        for run, task in list(_runs.items()):
            try:
                report(run, task)
            except Exception:
                # The run goes on: its progress is tried again at the next turn, and its outcome is written elsewhere.
                log.exception("Could not report the progress of task %s", task.id)
                close_if_broken()


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _thread, _start
    _thread, _start = None, threading.Lock()
    _runs.clear()


os.register_at_fork(after_in_child=_forget)
