"""How gunicorn serves the site. It reads WEB_CONCURRENCY by itself; GUNICORN_CMD_ARGS overrules this file."""

import gc
import os
import sys
from contextlib import suppress

from gunicorn.glogging import Logger

from tasks.queue import huey
from webapp import db
from webapp.db import startup
from webapp.db.bulkhead import PLACES, SPARE_THREADS
from webapp.lib import i18n, logs
from webapp.settings import Settings, SettingsError
from webapp.storage import use_database
from webapp.web import bind_address, site_watch
from webapp.web.security import MAX_FIELDS_SIZE
from webapp.web.server import limits
from webapp.web.server.worker import BufferingWorker

try:
    settings = Settings.from_env()
except SettingsError as error:
    sys.exit(error.report)
bind = bind_address.addresses(settings)


class logger_class(Logger):  # noqa: N801 - gunicorn's setting
    """Writes gunicorn's own lines in our format. Requests are logged by `webapp.web.access_log`, and only there."""

    def setup(self, cfg):
        """Gunicorn's, called with each configuration; its handlers then have our formatter."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.formatter(settings))

    def _compute_access_log_enabled(self):
        return super()._compute_access_log_enabled() and self.cfg.accesslog != "-"  # Heroku asks for that


def on_starting(server):
    """Check the database and Redis before anybody is served: log in one line what is wrong, or exit with it."""
    use_database(settings)  # as a patient process: this one serves nobody, and its connection is closed before forking
    try:
        startup.look_at_database()
        if settings.redis_url:
            with suppress(Exception):  # the queue logs it by itself
                huey.pending_count()
    finally:
        db.database.close()
        use_database(settings, patient=False)


workers = settings.web_concurrency


class worker_class(BufferingWorker):  # noqa: N801 - gunicorn's setting
    """Ours; `--worker-class gthread` in GUNICORN_CMD_ARGS serves with gunicorn's own, where a proxy buffers all."""

    max_body = settings.max_upload + MAX_FIELDS_SIZE
    quick_paths = frozenset({"/healthz", "/readyz"})


threads = PLACES + SPARE_THREADS
# The app is built once and inherited: a wrong setting ends the start, and the workers share its memory.
preload_app = True
# A new worker now and then bounds what leaks. Unchanged polls do not count, and nobody's connection is cut off.
max_requests = 100_000
max_requests_jitter = 10_000
# Pages poll every five seconds, and routers keep connections open, Heroku's for 90 s. Close them later than the router:
# a request may be on its way. An idle connection takes no thread, only one of worker_connections, and a file.
keepalive = 95
worker_connections = limits.open_as_many_as_allowed(20_000)
graceful_timeout = 20
control_socket_disable = True  # it is one socket in the home folder, shared by every site of this user
# Heartbeats on disk block when the disk does; memory does not.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def when_ready(server):
    """Log who can connect, unless gunicorn was told where to listen or was handed its socket. Nothing is forked yet.

    What is loaded by now stays shared: what Babel reads at first use is read here, once, and not by each worker; and no
    worker's garbage collector goes through it, which would copy all of its pages.
    """
    i18n.number(1)
    gc.freeze()
    if [str(listener) for listener in server.LISTENERS] == [f"http://{address}" for address in bind]:
        server.log.info("%s", bind_address.words(settings))


def post_worker_init(worker):
    """Watch the site in each process that serves it: see `site_watch`."""
    site_watch.start(worker.wsgi)
