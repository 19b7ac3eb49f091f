"""Tracked tasks a second beside what Huey alone does, with two worker processes on the same storage."""

import time
from collections.abc import Callable, Iterator
from statistics import median

from tasks.engine import TaskFunction
from tasks.queue import huey
from tests.benchmarks.nothing import nothing
from tests.benchmarks.sites import storage, worker
from tests.benchmarks.table import ROUNDS, show
from tests.benchmarks.worker import ten_checkpoints, ten_steps
from tests.processes import until
from tests.services import redis_server
from webapp.models import State, Task, User

PATIENCE = 120
TASKS = 1500
CHECKPOINTED = 300  # of the tasks, which write as much as several others
MESSAGES = 6000


def main() -> None:
    """Two rows a storage."""
    with redis_server() as redis_url:
        show(
            f"Tracked tasks, each with 10 progress updates ({TASKS} tasks, 2 worker processes)",
            ("storage", "an update is", "tracked tasks/s", "bare Huey no-ops/s", "of the limit"),
            [*_rows("SQLite"), *_rows("SQLite + Redis", REDIS_URL=redis_url)],
        )


def _rows(name: str, **variables: str) -> Iterator[tuple[str, ...]]:
    """The updates of a row are counted in memory, and written now and then; of the other, each is a commit."""
    kinds = {"counted": (ten_steps, TASKS), "a checkpoint": (ten_checkpoints, CHECKPOINTED)}
    pairs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        with storage(**variables) as env:
            limit = _bare_rate(env)
        for kind, (function, tasks) in kinds.items():
            with storage(**variables) as env:
                pairs[kind].append((_tracked_rate(env, function, tasks), limit))
    for kind, rates in pairs.items():
        tracked, bare = (median(pair[side] for pair in rates) for side in (0, 1))
        yield name, kind, f"{tracked:.0f}", f"{bare:.0f}", f"{median(a / b for a, b in rates):.3f}"


def _bare_rate(env: dict[str, str]) -> float:
    for _ in range(MESSAGES):
        huey.enqueue(nothing.s())
    return _drain_rate("tests.benchmarks.bare_worker", env, MESSAGES, lambda: MESSAGES - huey.pending_count())


def _tracked_rate(env: dict[str, str], function: TaskFunction, tasks: int) -> float:
    user = User.register_guest()
    for _ in range(tasks):
        function.launch(user)
    done = Task.select().where(Task.state == State.SUCCEEDED)
    return _drain_rate("tests.benchmarks.worker", env, tasks, done.count)


def _drain_rate(module: str, env: dict[str, str], total: int, done: Callable[[], int]) -> float:
    """How many a second a worker gets through a backlog, from the first that is done to the last."""
    with worker(module, env):
        first = until(done)
        begun = time.perf_counter()
        until(lambda: done() >= total, PATIENCE)
        return (total - first) / (time.perf_counter() - begun)
