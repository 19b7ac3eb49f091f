"""Real processes to measure, on fresh storage, and the means to reach them from this process."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from tasks.queue import huey
from tests.processes import BIN, NO_QUOTAS, ROOT, free_port, is_answering, until
from webapp import db
from webapp.settings import Settings
from webapp.storage import use_storage


@contextmanager
def storage(**variables: str) -> Iterator[dict[str, str]]:
    """The environment of a fresh, migrated site; this process's database and queue point at it meanwhile."""
    folder = tempfile.mkdtemp(prefix="errand-bench-")
    basic = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": folder,
        "SECRET_KEY": "a benchmark.secret",
        "LOG_LEVEL": "WARNING",
        **NO_QUOTAS,
    }
    env = basic | variables
    settings = Settings.from_env(env)
    use_storage(settings)
    db.migrate(huey.create_tables)
    huey.storage.flush_queue()
    try:
        yield env
    finally:
        db.database.close()
        huey.storage.close()
        shutil.rmtree(folder)


@contextmanager
def process(command: list[str], env: dict[str, str]) -> Iterator[int]:
    """A process that is stopped by TERM when the block ends; yields its id."""
    running = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        yield running.pid
    finally:
        with suppress(ProcessLookupError):
            running.send_signal(signal.SIGTERM)
        running.wait(30)


@contextmanager
def gunicorn(app: str, env: dict[str, str], arguments: str = "") -> Iterator[int]:
    """Gunicorn serving an app as the Procfile does, but for these arguments; yields its port."""
    port = free_port()
    env = env | {"GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} {arguments}"}
    with process([str(BIN / "gunicorn"), app], env):
        until(lambda: is_answering(port))
        yield port


def worker(module: str, env: dict[str, str], processes: int = 2) -> AbstractContextManager[int]:
    """A consumer of so many worker processes; yields its id."""
    return process([sys.executable, "-m", module], env | {"WORKER_CONCURRENCY": str(processes)})
