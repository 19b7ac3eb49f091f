"""Tracked tasks a second beside what Huey alone does, with two worker processes on the same storage."""

import time
from collections.abc import Callable
from statistics import median

from tasks.queue import huey
from tests.benchmarks.nothing import nothing
from tests.benchmarks.sites import storage, worker
from tests.benchmarks.table import ROUNDS, show
from tests.benchmarks.worker import ten_steps
from tests.processes import until
from tests.services import redis_server
from webapp.models import State, Task, User

PATIENCE = 120
TASKS = 1500
MESSAGES = 6000


def main() -> None:
    """One row a storage."""
    with redis_server() as redis_url:
        show(
            f"Tracked tasks, each with 10 progress updates ({TASKS} tasks, 2 worker processes)",
            ("storage", "tracked tasks/s", "bare Huey no-ops/s", "of the limit"),
            [_row("SQLite"), _row("SQLite + Redis", REDIS_URL=redis_url)],
        )


def _row(name: str, **variables: str) -> tuple[str, ...]:
    pairs = []
    for _ in range(ROUNDS):
        with storage(**variables) as env:
            limit = _bare_rate(env)
        with storage(**variables) as env:
            pairs.append((_tracked_rate(env), limit))
    tracked, bare = (median(pair[side] for pair in pairs) for side in (0, 1))
    return name, f"{tracked:.0f}", f"{bare:.0f}", f"{median(a / b for a, b in pairs):.3f}"


def _bare_rate(env: dict[str, str]) -> float:
    for _ in range(MESSAGES):
        huey.enqueue(nothing.s())
    return _drain_rate("tests.benchmarks.bare_worker", env, MESSAGES, lambda: MESSAGES - huey.pending_count())


def _tracked_rate(env: dict[str, str]) -> float:
    user = User.register_guest()
    for _ in range(TASKS):
        ten_steps.launch(user)
    done = Task.select().where(Task.state == State.SUCCEEDED)
    return _drain_rate("tests.benchmarks.worker", env, TASKS, done.count)


def _drain_rate(module: str, env: dict[str, str], total: int, done: Callable[[], int]) -> float:
    """How many a second a worker gets through a backlog, from the first that is done to the last."""
    with worker(module, env):
        first = until(done)
        begun = time.perf_counter()
        until(lambda: done() >= total, PATIENCE)
        return (total - first) / (time.perf_counter() - begun)
