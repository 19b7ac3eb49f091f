"""How gunicorn serves Errand. It reads PORT and WEB_CONCURRENCY by itself; GUNICORN_CMD_ARGS overrules this file."""

import os
import sys

from webapp.breaker import AT_ONCE, SPARE
from webapp.settings import Settings, SettingsError

try:
    workers = Settings.from_env().web_concurrency
except SettingsError as error:
    sys.exit(error.report)
worker_class = "gthread"
threads = AT_ONCE + SPARE
# The app is built once and inherited: a wrong setting ends the start, and the workers share its memory.
preload_app = True
# Threads keep their connections, and with them the database's; a new worker now and then bounds what leaks.
max_requests = 100_000
max_requests_jitter = 10_000
keepalive = 30  # pages ask every five seconds
graceful_timeout = 20
control_socket_disable = True  # one socket in the home folder would be shared by every site of this user
# Heartbeats on disk block when the disk does; memory does not.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
