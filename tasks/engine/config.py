"""The engine's configuration: how long things may take, how often they happen, and how much is done at a time.

One frozen object that is replaced as a whole. Call `config()` where a value is used; keep none of it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from webapp.settings import Settings


@dataclass(frozen=True)
class Config:
    """Numbers without a unit are seconds."""

    # From the settings
    lease: timedelta = timedelta(seconds=15)  # a run that has not renewed its lease for this long is lost
    sweep: timedelta = timedelta(seconds=5)  # how often the sweeper looks for such runs
    timeout: float = 300.0  # a run that shows no progress for this long is ended
    keep_tasks: timedelta = timedelta(days=30)
    keep_artifacts: timedelta = timedelta(days=7)
    max_upload: int = 10 * 1024 * 1024  # bytes of one file

    # A run
    checkpoint_every: float = 1.0  # while its steps write nothing
    hold_at_most: float = 0.05  # how long steps that write share a transaction: on SQLite nobody else writes meanwhile
    query_batch: int = 500  # rows that `each` reads at once
    wait_once_stopped: float = 1.0  # the longest a further `wait` of a step lasts when the run should stop
    kill_after: float = 5.0  # from the end of a run's time until its process is killed
    preview_within: float = 5.0  # how long a web process reads files for a preview

    # The heartbeat
    report_every: float = 0.5  # how often a run's progress is written at most

    # The sweeper
    look_every: float = 1.0  # how exactly what is due starts, and how soon another leads when the leader has died
    lead_for: timedelta = timedelta(seconds=2)
    renew_lead_every: float = 0.5  # while a look lasts
    tasks_per_look: int = 200  # of those that are due, and of those that are lost
    wakeups_per_look: int = 5000
    send_wakeups_for: float = 0.5  # in one look; the next look sends more
    tasks_per_hook: int = 40  # that each hook may start in a sweep: about a second where each takes 20 ms
    lease_catch_up: float = 5.0  # how much later than this process others may hear that the database is back

    # Retention
    purge_every: float = 3600.0
    purge_for: float = 0.5  # in one look; the next look goes on
    keep_internal: timedelta = timedelta(hours=1)  # long enough for whoever reads the log to find the task
    rows_at_first: int = 20  # in the first transactions of a purge
    rows_at_most: int = 500


_config = Config()


def config() -> Config:
    """The configuration of this process; until `configure` is called, the defaults."""
    return _config


def configure(settings: Settings) -> None:
    """Take from the settings what they have; the rest stays as it is."""
    change(
        lease=timedelta(seconds=settings.task_lease),
        sweep=timedelta(seconds=settings.task_sweep),
        timeout=float(settings.task_timeout),
        keep_tasks=timedelta(days=settings.retention_days),
        keep_artifacts=timedelta(days=settings.artifact_days),
        max_upload=settings.max_upload,
    )


def change(**fields: Any) -> None:
    """Replace the configuration by one that differs in these fields. Raises TypeError for a field there is not."""
    global _config
    _config = replace(_config, **fields)
