"""Redis and PostgreSQL servers that can be killed and started again in the same place."""

import os
import signal
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import psycopg
from redis import Redis

from tests.processes import free_port, until
from tests.services import UNPRIVILEGED, postgres_server, redis_server


class RedisServer:
    """A Redis on one port, that forgets everything when it is killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._running = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._running.enter_context(redis_server(self.port))

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        self._running.close()

    def flush(self) -> None:
        """Empty it."""
        with Redis.from_url(self.url) as client:
            client.flushall()


class PostgresServer:
    """A PostgreSQL in one folder on one port; what was committed survives its restarts."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._popen: subprocess.Popen[bytes] | None = None  # once it has been started again
        self.new_database = self._running.enter_context(postgres_server())
        self.url = self.new_database()
        port = self.url.rpartition("/")[0].rpartition(":")[2]
        [self.process] = (p for p in psutil.Process().children() if port in p.cmdline())
        self._command, self._folder = self.process.cmdline(), self.process.cwd()

    def stop(self, signum: int) -> None:
        """Stop it: INT ends all connections and then itself, QUIT ends at once, as a crash does."""
        self.process.send_signal(signum)
        until(lambda: not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE)
        if self._popen:
            self._popen.wait(30)

    def start(self) -> None:
        """Start it again on the same data and port, and wait until it answers."""
        user = {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []} if os.geteuid() == 0 else {}
        with (Path(self._folder) / "log").open("a") as log:
            self._popen = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log, **user)
        self.process = psutil.Process(self._popen.pid)
        until(self.is_answering)

    def is_answering(self) -> bool:
        """Whether it takes connections."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.url):
            return True
        return False

    def close(self) -> None:
        """Stop it for good, with all that is in it."""
        with suppress(psutil.NoSuchProcess):
            self.stop(signal.SIGQUIT)
        self._running.close()
