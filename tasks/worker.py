"""The worker: `python -m tasks.worker` takes tasks from the queue until it is told to stop, as the consumer says."""

import logging
import os
import signal
import sys
from functools import partial
from socket import getaddrinfo, gethostname

from tasks.engine import configure
from tasks.engine.consumer import WorkerConsumer, leave
from tasks.queue import huey
from webapp.db import database, startup
from webapp.lib import logs
from webapp.lib.environment import CannotStart
from webapp.settings import Settings

log = logging.getLogger("tasks.worker")  # as a program it has another name


def create_consumer(settings: Settings) -> WorkerConsumer:
    """A consumer for these settings, not yet started. Builds the app once; its children inherit it.

    Raises DeclarationError where a task function can never work.
    """
    from webapp.app import create_app

    app = create_app(settings, patient=True)
    configure(run_context=app.app_context, memory=settings.worker_memory, release=app.config["RELEASE"])
    return WorkerConsumer(huey, settings.worker_concurrency, on_start=partial(_resolve, settings.mail_server))


def _resolve(mail_server: str | None) -> None:
    """Tell the operator of a mail server whose name does not resolve, which may take long to find out."""
    try:
        if mail_server:
            getaddrinfo(mail_server, None)
    except (OSError, UnicodeError) as error:
        log.warning("MAIL_SERVER cannot be resolved here, so no mail is sent: %s: %s", mail_server, error)


def main() -> None:
    """Run a worker until it is told to stop, once its database has the schema that it needs.

    Exits with one line on standard error when a setting is wrong, or the database can never be used.
    """
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: sys.exit(0))  # until the consumer has its own: nothing has begun
    try:
        settings = Settings.from_env()
        consumer = create_consumer(settings)
    except CannotStart as error:
        sys.exit(error.report)
    logs.belong_to(worker=f"{gethostname()}:{os.getpid()}")
    startup.wait_for_database()
    database.close()  # nothing open may be inherited by the children
    log.info("The worker starts, with %d processes for tasks", settings.worker_concurrency)
    consumer.run()
    log.info("The worker has stopped")
    leave()


if __name__ == "__main__":
    main()
