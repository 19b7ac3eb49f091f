"""Workflows: tasks that are made of children, which are tasks themselves.

The children of a chain run one after the other, those of a group side by side, and a chord is a group with one more
child after it. All three are the same here: each child has a `step`, the children of a step run side by side, and the
next step starts when all of them are done. The parent is brought up to date in the transaction in which a child
changes: so it survives whatever the child survives.
"""

import threading
from uuid import UUID

from peewee import Case

from webapp.lib.i18n import number
from webapp.lib.times import utcnow
from webapp.models.task import changes as columns
from webapp.models.task import observers, signals, transitions
from webapp.models.task.action_table import OWNER_ACTIONS
from webapp.models.task.locks import changing
from webapp.models.task.row import TaskRow
from webapp.models.task.state import FINISHED, LEASED, SEVERITY, UNSUCCESSFUL, State
from webapp.models.task.unique_key import holding_unique_key
from webapp.models.task.workflow_totals import totals_of

_WITH_THE_REST = {
    State.CANCELED: "Canceled with the other parts",
    State.CANCELING: "Canceled with the other parts; stopping after the current step",
}


class _Canceling(threading.local):
    """The workflows whose children this thread is canceling: they are settled when all of them have been."""

    def __init__(self) -> None:
        self.parents: set[UUID] = set()


_canceling = _Canceling()


def start(task: TaskRow) -> None:
    """Start a child whose step has come, or the first step of a workflow."""
    if task.state == State.WAITING:
        transitions.demand(task, State.PENDING, "Earlier steps are done", **columns.joining_queue(task))
    if task.is_workflow:
        start_next_step(task)


def start_next_step(parent: TaskRow) -> None:
    """Start the children of the first step that still has some that wait."""
    children = list(parent.children())
    steps = [child.step for child in children if child.state == State.WAITING]
    for child in children:
        if child.state == State.WAITING and child.step == min(steps):
            start(child)


def cancel(task: TaskRow, words: dict[State, str] | None = None) -> None:
    """Ask a task to stop, with all its children. Raises IllegalTransition if it has finished or is stopping."""
    model = type(task)
    with changing(task):
        was_to_start = Case(None, [(model.state == State.SCHEDULED, model.run_at)], None)  # for who schedules it again
        transitions.ask(task, "cancel", words=words, queue_key=None, run_at=was_to_start)
        if task.is_workflow:
            cancel_children(task)


def cancel_children(parent: TaskRow) -> None:
    """Ask everything in a workflow to stop that has not ended."""
    _canceling.parents.add(parent.id)
    try:
        for child in list(parent.children()):
            if OWNER_ACTIONS["cancel"].allows(child):
                cancel(child, _WITH_THE_REST)
    finally:
        _canceling.parents.discard(parent.id)
    _settle(parent.fresh())


def reset_children(parent: TaskRow) -> None:
    """Make all children wait again that have not succeeded; `start_next_step` then starts the first of them."""
    for child in list(parent.children()):
        if child.state in UNSUCCESSFUL:
            reset_for_retry(child)
            reset_children(child)


def reset_for_retry(child: TaskRow) -> None:
    """Make a child that was not done wait for its step again, as its workflow is retried."""
    anew = columns.NO_TROUBLE | {"started_at": None, "finished_at": None, "active_unique_key": child.unique_key}
    anew |= columns.resuming(child) | {"share": columns.nothing_done(child)}
    holding_unique_key(
        child, lambda: transitions.demand(child, State.WAITING, "The whole task is being retried", **anew)
    )


def expect_total(parent: TaskRow) -> None:
    """Write how many steps a workflow has that has just got its children; unknown where it is of one of them."""
    totals = [child.expected for child in parent.children()]
    known = [total for total in totals if total is not None]
    total = sum(known) if len(known) == len(totals) else None
    _write(parent, {"expected": total, "total": total, "share": columns.nothing_done(parent)})


@observers.on_advance
def update_parent(child: TaskRow) -> None:
    """Bring the parent up to date after a transition or progress of a child; and the parent's own parent, too."""
    if child.parent_id is None:
        return
    parent = type(child).get_by_id(child.parent_id)
    totals = totals_of(parent)
    # The latest to say what it does, or else whoever else has said it.
    stage = (child.stage if child.state in LEASED else "") or totals.stage
    _aggregate(parent, totals.done, totals.total, totals.share, stage, begun=child.started_at is not None)
    if child.state in FINISHED:
        _settle(parent)
        parent = parent.reload()
    if _has_failed(child) and not parent.is_finished and (words := _failure(parent)) != parent.error:
        _write(parent, {"error": words})
        transitions.tell(parent, "log", words)
    update_parent(parent)


def tree(parent: TaskRow) -> dict[UUID | None, list[TaskRow]]:
    """All tasks below a workflow: the children of each, by its id. One query; none for a task that is no workflow."""
    found: dict[UUID | None, list[TaskRow]] = {}
    if parent.is_workflow:
        model = type(parent)
        below = model.select().where(model.root == (parent.root_id or parent.id))
        for child in below.order_by(model.step, model.created_at, model.id):
            found.setdefault(child.parent_id, []).append(child)
    return found


def _aggregate(parent: TaskRow, done: int, total: int, share: float, stage: str, begun: bool) -> None:
    """Make a workflow say how far its children are, what one of them is doing, and that one has begun.

    Its share never goes back, whatever becomes of the totals of its children: it waits until they get there.
    """
    share = max(share, parent.share or 0.0)
    _write(parent, {"done": done, "total": total or None, "share": share, "stage": stage, "updated_at": utcnow()})
    waits = type(parent).state == State.PENDING
    if begun and transitions.attempt(parent, State.IN_PROGRESS, "First part started", waits, started_at=utcnow()):
        signals.announce(signals.started, parent)
    observers.changed(parent)


def _settle(parent: TaskRow) -> None:
    """Decide what comes after children have ended: the next step, or the end of the workflow."""
    model = type(parent)
    found = model.select(model.state).where(model.parent == parent.id).distinct()
    states = {child.state for child in found}
    if parent.is_finished or parent.id in _canceling.parents or states - FINISHED - {State.WAITING}:
        return
    unwanted = parent.state == State.CANCELING or states & UNSUCCESSFUL
    if State.WAITING not in states:
        _finish(parent, max(states, key=SEVERITY.__getitem__), _failure(parent))
    elif unwanted:
        cancel_children(parent)  # which comes back to this, and settles it
    else:
        start_next_step(parent)


def _finish(parent: TaskRow, outcome: State, error: str) -> None:
    if outcome == State.CANCELED:
        runs = type(parent).state == State.IN_PROGRESS
        transitions.attempt(parent, State.CANCELING, "A part was canceled", runs)
    text = {State.SUCCEEDED: "All parts finished", State.CANCELED: "Canceled"}.get(outcome, error)
    transitions.demand(parent, outcome, text, error=error, **columns.releasing_lease(parent))


def _has_failed(child: TaskRow) -> bool:
    """Whether it has, or is a workflow of which something has while the rest continues."""
    return child.state == State.FAILED or (child.is_workflow and bool(child.error) and not child.is_finished)


def _failure(parent: TaskRow) -> str:
    """What has failed of a workflow, in words."""
    children = list(parent.children())
    failed = [child for child in children if _has_failed(child)]
    if not failed:
        return ""
    first = f"{failed[0].title}: {failed[0].error}"
    return first if len(children) == 1 else f"{number(len(failed))} of {number(len(children))} parts failed. {first}"


def _write(parent: TaskRow, changes: columns.Changes) -> None:
    type(parent).update(**changes).where(type(parent).id == parent.id).execute()
    parent.__data__.update(changes)
