"""What a progress step costs: microseconds and database writes, in a loop of 100,000 steps."""

import time
from statistics import median

from playhouse.test_utils import count_queries

from tasks.engine import Run, user_task
from tasks.engine.executor import execute_next
from tests.benchmarks.sites import storage
from tests.benchmarks.table import ROUNDS, show
from webapp.models import User

STEPS = 100_000
_seconds: list[float] = []


@user_task(title="Many steps")
def many_steps(task: Run) -> None:
    """A loop with nothing in it but its steps."""
    begun = time.perf_counter()
    for _ in task.each(range(STEPS)):
        pass
    _seconds.append(time.perf_counter() - begun)


def main() -> None:
    """Beside the same loop without a task."""
    queries = []
    bare = []
    with storage():
        user = User.register_guest()
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            for _ in range(STEPS):
                pass
            bare.append(time.perf_counter() - begun)
            many_steps.launch(user)
            with count_queries() as counted:
                execute_next()
            queries.append(sum(q.msg[0].startswith(("UPDATE", "INSERT")) for q in counted.get_queries()))
    show(
        f"A progress step ({STEPS:,} steps)",
        ("", "µs a step", "database writes in all, start and finish included"),
        (
            ("an empty loop", f"{median(bare) / STEPS * 1e6:.3f}", "0"),
            ("`task.each`", f"{median(_seconds) / STEPS * 1e6:.3f}", f"{median(queries):.0f}"),
        ),
    )
