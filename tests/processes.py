"""Real processes of Errand: web, worker and mailbox, started, watched and stopped as an operator would."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from webapp.lib.quota_variables import GUEST, QUOTAS

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PATIENCE = 30
# No quota: a site has those that its test sets.
NO_QUOTAS = {row.variable: "0" for row in QUOTAS.values()}
NO_QUOTAS |= {GUEST + row.variable: "0" for row in QUOTAS.values() if row.guests is not None}
# Below those that the system gives to whoever connects or asks for any: seconds pass until a server listens on its own.
_PORTS = list(range(10_000, 32_000))
_turns = cycle(_PORTS[(_first := random.randrange(len(_PORTS))) :] + _PORTS[:_first])


def free_port() -> int:
    """A port that nobody listens on, and that this process was not given before, for a server that is yet to start."""
    for port in _turns:
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: it begins anew")


def is_answering(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `condition` says once it is true. Raises AssertionError after so many seconds."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)
    return found


class Process:
    """One process of the site, in a session of its own. Its output goes to `log`."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], folder: Path, cwd: Path = ROOT) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                command, cwd=cwd, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def family(self) -> list[psutil.Process]:
        """The process and all its descendants, as they are now."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.popen.pid)
            return [process, *process.children(recursive=True)]
        return []

    def stop(self, signum: int = signal.SIGTERM, patience: float = PATIENCE) -> int:
        """Send a signal and wait for the end; returns the exit code. AssertionError if somebody is left behind."""
        family = self.family()
        with suppress(ProcessLookupError):
            self.popen.send_signal(signum)
        code = self.popen.wait(patience)
        _, left = psutil.wait_procs(family, timeout=PATIENCE)
        for process in left:
            process.kill()
        assert not left, f"left behind: {left}\n{self.output()}"
        return code

    def output(self) -> str:
        """Everything it has said so far."""
        return self.log.read_text()


# Data folders of sites on SQLite that were migrated, and no more; without and with Redis, where the queue is not there.
_migrated: dict[bool, TemporaryDirectory[str]] = {}


class Site:
    """A whole site on one port and one data folder. Start what a test needs; `close` stops all that runs."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.port, mail_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "BASE_URL": self.url,
            "MAIL_PORT": str(mail_port),
            "DEV_MAILBOX": "1",
            "SECRET_KEY": "secret of a test",
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{self.port}",
            "PYTHONUNBUFFERED": "1",
            **NO_QUOTAS,
        } | variables
        self.processes: dict[str, Process] = {}
        self._migrate()

    def _migrate(self) -> None:
        """Make its database ready as a release does, or be given a copy of one that was made so for another site."""
        data, kind = Path(self.env["DATA_DIR"]), "REDIS_URL" in self.env
        is_like_others = "DATABASE_URL" not in self.env and not data.exists()
        if is_like_others and kind in _migrated:
            shutil.copytree(_migrated[kind].name, data)
            return
        self.run("flask", "--app", "webapp.wsgi", "migrate")
        if is_like_others:
            _migrated[kind] = TemporaryDirectory(prefix="migrated-")
            shutil.copytree(data, _migrated[kind].name, dirs_exist_ok=True)

    def run(self, *command: str) -> str:
        """Run a command to its end; returns what it said. Raises AssertionError unless it succeeds."""
        done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, command: list[str]) -> Process:
        """Start a process under a name."""
        self.processes[name] = Process(name, command, self.env, self.folder)
        return self.processes[name]

    def start_web(self) -> Process:
        """Start gunicorn as the Procfile does, and wait until it answers."""
        web = self.start("web", [str(BIN / "gunicorn"), "webapp.wsgi:app"])
        until(lambda: is_answering(self.port))
        return web

    def start_worker(self) -> Process:
        """Start a worker as the Procfile does."""
        return self.start("worker", [sys.executable, "-m", "tasks.worker"])

    def start_mailbox(self) -> Process:
        """Start the development mailbox, and wait until it takes mail."""
        mailbox = self.start("mailbox", [sys.executable, "-m", "webapp.dev.mailbox"])
        until(lambda: is_answering(int(self.env["MAIL_PORT"])))
        return mailbox

    def start_dev(self) -> Process:
        """Start everything as `make run` does, and wait until it answers."""
        dev = self.start("dev", [sys.executable, "-m", "webapp.dev"])
        until(lambda: is_answering(self.port) or dev.popen.poll() is not None)
        return dev

    def stop(self, name: str, signum: int = signal.SIGTERM) -> int:
        """Stop a process by its name; returns its exit code."""
        return self.processes.pop(name).stop(signum)

    def close(self) -> None:
        """Stop everything."""
        for name in list(self.processes):
            self.stop(name)
