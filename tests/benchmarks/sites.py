"""Real processes to measure, on fresh storage, and the means to reach them from this process."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from tasks.queue import huey
from webapp import database
from webapp.settings import Settings

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
PATIENCE = 120


@contextmanager
def storage(**variables: str) -> Iterator[dict[str, str]]:
    """The environment of a fresh, migrated site; this process's database and queue point at it meanwhile."""
    folder = tempfile.mkdtemp(prefix="errand-bench-")
    basic = {"PATH": os.environ["PATH"], "DATA_DIR": folder, "SECRET_KEY": "benchmark", "LOG_LEVEL": "WARNING"}
    env = basic | variables
    settings = Settings.from_env(env)
    database.configure(settings)
    database.migrate()
    huey.configure(settings)
    huey.storage.flush_queue()
    try:
        yield env
    finally:
        database.database.close()
        huey.storage.close()
        shutil.rmtree(folder)


@contextmanager
def process(command: list[str], env: dict[str, str]) -> Iterator[None]:
    """A process that is stopped by TERM when the block ends."""
    running = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            running.send_signal(signal.SIGTERM)
        running.wait(30)


@contextmanager
def gunicorn(app: str, env: dict[str, str]) -> Iterator[int]:
    """Gunicorn serving an app as the Procfile does; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = env | {"GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}
    with process([str(BIN / "gunicorn"), app], env):
        until(lambda: _answers(port))
        yield port


def worker(module: str, env: dict[str, str]) -> AbstractContextManager[None]:
    """A consumer of two worker processes."""
    return process([sys.executable, "-m", module], env | {"WORKER_CONCURRENCY": "2"})


def until(condition: Callable[[], Any], every: float = 0.01) -> Any:
    """What `condition` says once it is true. Raises TimeoutError after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come")
        time.sleep(every)
    return found


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
