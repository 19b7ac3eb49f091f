"""Error reporting: what this process logs as an error goes to Sentry where there is one, or else to the admins."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import current_process

import click
from flask import Flask

from webapp.db import database
from webapp.lib.error_collector import ErrorCollector, Sink
from webapp.lib.error_occurrences import Occurrences
from webapp.models import ErrorReport
from webapp.settings import Settings

log = logging.getLogger(__name__)

LOGGERS = "", "gunicorn.error"  # gunicorn's hands nothing on to the root
CHILDREN = {"Worker": "worker", "Scheduler": "sweeper"}  # Huey's names of processes, without their numbers


def init_app(app: Flask, settings: Settings, patient: bool) -> None:
    """Report the errors of this process from now on, in the place of what another app has set up before."""
    for collector in _collectors():
        collector.stop()
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(collector)
    sink = _sink(settings, app.config["RELEASE"])
    if sink is None:
        return
    collector = ErrorCollector(sink, _of_process(app.config["RELEASE"], patient))
    for name in LOGGERS:
        logging.getLogger(name).addHandler(collector)


def report_test(within: float) -> bool:
    """Log an error on purpose; whether it has been handed on within so many seconds."""
    log.error("This error was logged on purpose, to try how errors are reported")
    return all([collector.hand_on(within) for collector in _collectors()])


def _collectors() -> list[ErrorCollector]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, ErrorCollector)]


def _sink(settings: Settings, release: str) -> Sink | None:
    if settings.sentry_dsn:
        from webapp.lib import sentry  # which loads Sentry's own library

        return sentry.sink(settings.sentry_dsn, release)
    return _store if settings.admins else None


def _store(found: Sequence[Occurrences]) -> None:
    """Write what was found, on a connection that is closed after it."""
    try:
        ErrorReport.add(found)
    finally:
        database.close()


def _of_process(release: str, patient: bool) -> Callable[[], dict[str, str]]:
    return partial(_process, release, "worker’s parent" if patient else "web")


def _process(release: str, main: str) -> dict[str, str]:
    """What is told about this process."""
    kind = CHILDREN.get(current_process().name.partition("-")[0], main)
    is_command = kind == "web" and click.get_current_context(silent=True)
    return {"process": "command" if is_command else kind, "release": release}
