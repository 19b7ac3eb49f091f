"""The engine's configuration: what the app gives it, how long things may take, how often they happen, and how much is
done at a time.

One frozen object that is replaced as a whole. Call `config()` where a value is used; keep none of it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from tasks.engine.functions import taking
from tasks.engine.storage import Storage


class WakeupQueue(Protocol):
    """What carries wake-ups to workers. Each method raises when the queue does not answer."""

    def send(self) -> None:
        """Put one more message into the queue."""

    def pending_count(self) -> int:
        """How many messages are in the queue."""

    def drop(self) -> None:
        """Take one message out of the queue and forget it."""

    def handle(self) -> bool:
        """Do at once what a worker does that gets a message. Whether there was a task to execute."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Config:
    """Numbers without a unit are seconds."""

    # From the app
    queue: WakeupQueue | None = None  # without one, tasks wait until a worker looks by itself
    run_context: Callable[[], AbstractContextManager[object]] = nullcontext  # entered around each run and each sweep
    is_shutting_down: Callable[[], bool] = _never  # each worker process has a function of its own
    release: str = ""  # a name for what runs, to tell workers of one release from those of another
    storage: Storage = field(default_factory=Storage)  # how much people may store

    # Of this process
    worker: str | None = None  # the token of the worker that it belongs to
    is_quiet: Callable[[], bool] = _never  # whether that is to claim no more tasks

    # From its settings
    secret_key: str = field(default="", repr=False)  # seals the secrets among arguments; the same in web and worker
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)  # which have sealed some before
    lease: timedelta = timedelta(seconds=15)  # a run that has not renewed its lease for this long is lost
    sweep: timedelta = timedelta(seconds=5)  # how often the sweeper looks for such runs
    timeout: float = 300.0  # a run that shows no progress for this long is ended
    memory: int = 0  # bytes that a worker process may have after a task, and a run may drive it to; 0 is no limit
    keep_tasks: timedelta = timedelta(days=30)
    keep_artifacts: timedelta = timedelta(days=7)
    max_upload: int = 10 * 1024 * 1024  # bytes of one file

    # A worker
    go_on_for: float = 1.0  # from task to task after one message, before it reads the next

    # A run
    checkpoint_every: float = 1.0  # while its steps write nothing
    hold_at_most: float = 0.05  # how long steps that write share a transaction: on SQLite nobody else writes meanwhile
    query_batch: int = 500  # rows that `each` reads at once
    wait_once_stopped: float = 1.0  # the longest a further `wait` of a step lasts when the run should stop
    kill_after: float = 5.0  # from the end of a run's time until its process is killed
    preview_within: float = 5.0  # how long a web process reads files for a preview

    # A run that makes way for people of whom nothing runs
    turn: float = 30.0  # what it has at least, of which a checkpoint must stand
    turns_apart: float = 2.0  # more for each run that began before it, so that no more make way than there are people

    # The heartbeat
    heartbeat: bool = True  # without it, only a run's own checkpoints renew its lease and write its progress
    report_every: float = 0.5  # how often a run's progress is written at most

    # The sweeper
    look_every: float = 1.0  # how exactly what is due starts, and how soon another leads when the leader has died
    lead_for: timedelta = timedelta(seconds=2)
    renew_lead_every: float = 0.5  # while a look lasts
    tasks_per_look: int = 200  # of those that are due, and of those that are lost
    wakeups_per_look: int = 5000
    send_wakeups_for: float = 0.5  # in one look; the next look sends more, or drops more
    keep_wakeups: int = 1000  # that are in the queue beyond one for each task that waits
    tasks_per_hook: int = 40  # that each hook may start in a sweep: about a second where each takes 20 ms
    lease_catch_up: float = 5.0  # how much later than this process others may hear that the database is back

    # Retention
    purge_every: float = 3600.0
    purge_for: float = 0.5  # in one look; the next look goes on
    keep_internal: timedelta = timedelta(hours=1)  # long enough for whoever reads the log to find the task
    rows_at_first: int = 20  # in the first transactions of a purge
    rows_at_most: int = 500

    def claims_no_more(self) -> bool:
        """Whether this process is to take no further task: its worker is quiet, or shutting down."""
        return self.is_shutting_down() or self.is_quiet()

    @property
    def secret_keys(self) -> list[str]:
        """All keys by which secrets may be sealed, of which the last one seals."""
        return [*reversed(self.secret_key_fallbacks), self.secret_key]


_config = Config()


def config() -> Config:
    """The configuration of this process; until `configure` is called, the defaults."""
    return _config


@taking(Config)
def configure(**fields: object) -> None:
    """Replace the configuration by one that differs in these fields. Raises TypeError for a field there is not."""
    global _config
    _config = replace(_config, **fields)  # type: ignore[arg-type]  # they are those of Config
