"""Column changes: what is written to a task with each kind of transition."""

from datetime import datetime

from tasks.engine.models import fair_queue
from tasks.engine.models.row import TaskRow
from tasks.engine.models.sealed import without_secrets
from tasks.engine.models.state import FINISHED, State
from tasks.engine.models.words import Changes, kept
from webapp.lib.times import utcnow

# Of a task that is retried.
NO_TROUBLE: Changes = {
    **kept(error=""),
    "fingerprint": None,
    "attempts": 0,
    "rescues": 0,
    "crashes": 0,
    "interruptions": 0,
}


def of_state(target: State) -> Changes:
    """What changes with every transition to a state, and what a new task in that state begins with."""
    now = utcnow()
    changes: Changes = {"state": target, "updated_at": now}
    if target == State.PENDING:
        changes["ready_at"] = now
    return changes | {"finished_at": now, "active_unique_key": None} if target in FINISHED else changes


def joining_queue(task: TaskRow) -> Changes:
    """It waits for a worker from now on."""
    return {"queue_key": next_queue_key(task), "run_at": None, "fingerprint": None}


def next_queue_key(task: TaskRow) -> int | None:
    """Its place at the end of its party's tasks in the fair queue. A workflow has none: no worker takes it."""
    return None if task.is_workflow else fair_queue.next_queue_key(task.party, task.priority)


def releasing_lease(task: TaskRow, at: datetime | None = None) -> Changes:
    """No run has the task any more, since the time given or now."""
    run = ((at or utcnow()) - task.started_at).total_seconds() if task.started_at else 0.0
    run_seconds = task.run_seconds + max(0.0, run)
    return {"fencing_token": None, "lease_until": None, "run_seconds": run_seconds} | kept(stage="")


def resuming(task: TaskRow) -> Changes:
    """How far it is at the point from which the next run continues."""
    saved = task.cursor or {}
    return {"done": saved.get("done", 0), "total": saved.get("total", task.expected)}


def forgetting_secrets(task: TaskRow) -> Changes:
    """It has ended, and nobody needs the secrets among its arguments. Nothing for a task that has none."""
    is_whole = "arguments" in task.__data__  # otherwise the row was read in part
    rest = without_secrets(task.arguments if is_whole else task.fresh().arguments)
    return {} if rest is None else {"arguments": rest}


def one_more_crash(task: TaskRow) -> Changes:
    """A run of it died."""
    model = type(task)
    return {"rescues": model.rescues + 1, "crashes": model.crashes + 1}


def nothing_done(task: TaskRow) -> float | None:
    """The share of a workflow of which nothing is done; a task that does its own work has none."""
    return 0.0 if task.is_workflow else None
