"""A worker of a site of its own that works only in its turns, so that several can be compared in the same minute."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from statistics import median

import psycopg

from tests.benchmarks.cpu import cpu_seconds, family
from tests.benchmarks.sites import storage, worker
from tests.processes import until

TURNS, TURN = 3, 1.0  # seconds; what has become due while it stood still is a small part of that
LEASE = "600"  # seconds: a run that stands still between two turns, maybe in a transaction, is not lost
DONE = "SELECT COUNT(*) FROM tasks WHERE state = 'succeeded'"


@dataclass
class Pool:
    """So many processes at a backlog. `rates` has the tasks a second of each turn."""

    pid: int
    count: Callable[[], int]
    rates: list[float] = field(default_factory=list)
    tasks: int = 0
    cpu: float = 0.0  # seconds of everything that this bench has started

    def take_turn(self) -> None:
        """Work for TURN, while all others stand still."""
        done, cpu = self.count(), _work_so_far()
        begun = time.perf_counter()
        self.signal(signal.SIGCONT)
        time.sleep(TURN)
        self.signal(signal.SIGSTOP)
        seconds = time.perf_counter() - begun
        done = self.count() - done
        self.rates.append(done / seconds)
        self.tasks, self.cpu = self.tasks + done, self.cpu + _work_so_far() - cpu

    @property
    def rate(self) -> float:
        """Tasks a second, the median of its turns."""
        return median(self.rates)

    @property
    def cost(self) -> float:
        """Microseconds of CPU time a task: of the worker, the database and the queue."""
        return 1e6 * self.cpu / max(self.tasks, 1)

    def signal(self, number: int) -> None:
        """To all its processes."""
        for pid in family(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def take_turns(pools: Iterable[Pool]) -> None:
    """Each has TURNS turns, in rounds."""
    pools = list(pools)
    for _ in range(TURNS):
        for each in pools:
            each.take_turn()


@contextmanager
def pool(processes: int, prepare: Callable[[dict[str, str]], None], **variables: str) -> Iterator[Pool]:
    """A fresh site that is prepared, and a worker at its tasks, which stands still once each process has got going."""
    with storage(TASK_LEASE_SECONDS=LEASE, **variables) as env:
        prepare(env)
        count = _counter(env)
        with worker("tests.benchmarks.worker", env, processes) as pid:
            made = Pool(pid, count)
            until(lambda: count() > 20 * processes)
            made.signal(signal.SIGSTOP)
            try:
                yield made
            finally:
                made.signal(signal.SIGCONT)


def _counter(env: dict[str, str]) -> Callable[[], int]:
    """Counts what is done there, whichever site this process has turned to meanwhile."""
    url = env.get("DATABASE_URL")

    def count() -> int:
        with closing(psycopg.connect(url) if url else sqlite3.connect(f"{env['DATA_DIR']}/errand.db")) as connection:
            return int(connection.execute(DONE).fetchone()[0])

    return count


def _work_so_far() -> float:
    return cpu_seconds(family(os.getpid()) - {os.getpid()})
