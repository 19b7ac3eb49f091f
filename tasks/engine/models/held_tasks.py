"""Which tasks each worker holds."""

from collections.abc import Sequence

from tasks.engine.models.fair_share import RUN_AT_MOST
from tasks.engine.models.party import party_of
from tasks.engine.models.task import Task
from tasks.engine.models.worker import Worker

READ = (Task.id, Task.name, Task.state, Task.worker, Task.started_at, Task.hidden)


def held_by(workers: Sequence[Worker]) -> dict[str, list[Task]]:
    """The tasks that runs of these workers hold, in part of their columns, by the token of each worker; the longest
    running first. One query, by the index of what runs, of at most RUN_AT_MOST tasks.
    """
    found: dict[str, list[Task]] = {worker.token: [] for worker in workers}
    # As in `fair_share.full`: by the order and the limit, PostgreSQL reads the index of what runs.
    held = Task.select(*READ).where(Task.fencing_token.is_null(False)).order_by(party_of(Task)).limit(RUN_AT_MOST)
    for task in held if found else ():
        if task.worker in found:
            found[task.worker].append(task)
    for tasks in found.values():
        tasks.sort(key=lambda task: (task.started_at, task.id))
    return found
