"""How long after its launch a task starts, right away and after ten seconds of idleness."""

import time
from statistics import median

from tests.benchmarks.sites import storage, worker
from tests.benchmarks.table import show
from tests.benchmarks.worker import ten_steps
from tests.processes import until
from tests.services import redis_server
from webapp.models import Task, User

LAUNCHES = 15
IDLE = 10
IDLE_LAUNCHES = 3


def main() -> None:
    """One row a storage."""
    with redis_server() as redis_url:
        show(
            "Launch to start",
            ("storage", "median, right away", f"median, after {IDLE} s of idleness"),
            [_row("SQLite"), _row("SQLite + Redis", REDIS_URL=redis_url)],
        )


def _row(name: str, **variables: str) -> tuple[str, ...]:
    with storage(**variables) as env, worker("tests.benchmarks.worker", env):
        user = User.register_guest()
        _launch_to_start(user)  # the worker is up
        busy = median(_launch_to_start(user) for _ in range(LAUNCHES))
        idle = []
        for _ in range(IDLE_LAUNCHES):
            time.sleep(IDLE)
            idle.append(_launch_to_start(user))
    return name, f"{busy * 1000:.1f} ms", f"{median(idle) * 1000:.1f} ms"


def _launch_to_start(user: User) -> float:
    """Seconds from the row's creation to its claim, by the clock that both processes share."""
    task_id = ten_steps.launch(user).id
    task = until(lambda: Task.get_or_none(Task.id == task_id, Task.finished_at.is_null(False)))
    return (task.started_at - task.created_at).total_seconds()
