"""Limits: what the settings say about how long things may take, and how long they are kept."""

from dataclasses import dataclass
from datetime import timedelta

from webapp.settings import Settings


@dataclass
class Config:
    """The limits of this process; `configure` sets them, and until then they are the defaults."""

    lease: timedelta = timedelta(seconds=15)  # a run that has not renewed its lease for so long is lost
    sweep: timedelta = timedelta(seconds=5)  # how often somebody looks for such runs
    timeout: float = 300.0  # seconds: a run that has not moved for so long is ended
    checkpoint_every: float = 1.0  # seconds, while the steps of a run write nothing
    hold_at_most: float = 0.05  # seconds of a transaction of steps that write: on SQLite nobody else writes meanwhile
    keep_tasks: timedelta = timedelta(days=30)
    keep_artifacts: timedelta = timedelta(days=7)
    max_upload: int = 10 * 1024 * 1024  # bytes of a file


config = Config()


def configure(settings: Settings) -> None:
    """Take the limits from the settings."""
    config.lease, config.sweep = timedelta(seconds=settings.task_lease), timedelta(seconds=settings.task_sweep)
    config.timeout = float(settings.task_timeout)
    config.keep_tasks = timedelta(days=settings.retention_days)
    config.keep_artifacts = timedelta(days=settings.artifact_days)
    config.max_upload = settings.max_upload
