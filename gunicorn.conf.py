"""How gunicorn serves the site. It reads WEB_CONCURRENCY by itself; GUNICORN_CMD_ARGS overrules this file."""

import os
import sys

from webapp import listening
from webapp.breaker import AT_ONCE, SPARE
from webapp.settings import Settings, SettingsError

try:
    settings = Settings.from_env()
except SettingsError as error:
    sys.exit(error.report)
bind = listening.addresses(settings)
workers = settings.web_concurrency
worker_class = "gthread"
threads = AT_ONCE + SPARE
# The app is built once and inherited: a wrong setting ends the start, and the workers share its memory.
preload_app = True
# Threads keep their connections, and with them the database's; a new worker now and then bounds what leaks.
max_requests = 100_000
max_requests_jitter = 10_000
# Pages ask every five seconds, and routers keep connections, Heroku's for 90 s: whoever closes first must not be us, as
# a request may be on its way. One that is idle takes no thread, and only one of worker_connections.
keepalive = 95
graceful_timeout = 20
control_socket_disable = True  # one socket in the home folder would be shared by every site of this user
# Heartbeats on disk block when the disk does; memory does not.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def when_ready(server):
    """Say who can connect, unless gunicorn was told where to listen, or was handed its socket."""
    if [str(listener) for listener in server.LISTENERS] == [f"http://{address}" for address in bind]:
        server.log.info("%s", listening.words(settings))
