"""Workflows: tasks that are made of children, which are tasks themselves.

The children of a chain run one after the other, those of a group side by side, and a chord is a group with one more
child after it. All three are the same here: each child has a `step`, the children of a step run side by side, and the
next step starts when all of them are done. The parent is brought up to date in the transaction in which a child
changes: so it survives whatever the child survives.
"""

import threading
from uuid import UUID

from peewee import Case

from tasks.engine.models import column_changes, observers, phrases, signals, transitions
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import FINISHED, LEASED, SEVERITY, UNSUCCESSFUL, State
from tasks.engine.models.unique_key import holding_unique_key
from tasks.engine.models.words import Changes, kept
from tasks.engine.models.workflow_totals import stage_of, totals_of
from webapp.lib.phrases import Wording, Words
from webapp.lib.times import utcnow


class _Canceling(threading.local):
    """The workflows whose children this thread is canceling: they are settled when all of them have been."""

    def __init__(self) -> None:
        self.parents: set[UUID] = set()


_canceling = _Canceling()


def start(task: TaskRow) -> None:
    """Start a child whose step has come, or the first step of a workflow."""
    if task.state == State.WAITING:
        transitions.demand(task, State.PENDING, phrases.STEP_CAME(), **column_changes.joining_queue(task))
    if task.is_workflow:
        start_next_step(task)


def start_next_step(parent: TaskRow) -> None:
    """Start the children of the first step that still has some that wait."""
    children = list(parent.children())
    steps = [child.step for child in children if child.state == State.WAITING]
    for child in children:
        if child.state == State.WAITING and child.step == min(steps):
            start(child)


def cancel(task: TaskRow, words: dict[State, Wording] | None = None) -> None:
    """Ask a task to stop, with all its children. Raises IllegalTransition if it has finished or is stopping."""
    model = type(task)
    with changing(task):
        was_to_start = Case(None, [(model.state == State.SCHEDULED, model.run_at)], None)  # for who schedules it again
        transitions.ask(task, "cancel", words=words, queue_key=None, run_at=was_to_start, fingerprint=None)
        if task.is_workflow:
            cancel_children(task)


def cancel_children(parent: TaskRow) -> None:
    """Ask everything in a workflow to stop that has not ended."""
    _canceling.parents.add(parent.id)
    try:
        for child in list(parent.children()):
            if OWNER_ACTIONS["cancel"].allows(child):
                cancel(child, phrases.WITH_THE_REST)
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
    anew = column_changes.NO_TROUBLE | {"started_at": None, "finished_at": None, "active_unique_key": child.unique_key}
    anew |= column_changes.resuming(child) | {"share": column_changes.nothing_done(child)}
    holding_unique_key(child, lambda: transitions.demand(child, State.WAITING, phrases.RETRIED_WITH_THE_REST(), **anew))


def expect_total(parent: TaskRow) -> None:
    """Write how many steps a workflow has that has just got its children; unknown where it is of one of them."""
    totals = [child.expected for child in parent.children()]
    known = [total for total in totals if total is not None]
    total = sum(known) if len(known) == len(totals) else None
    _write(parent, {"expected": total, "total": total, "share": column_changes.nothing_done(parent)})


@observers.on_advance
def update_parent(child: TaskRow) -> None:
    """Bring the parent up to date after a transition or progress of a child; and the parent's own parent, too."""
    if child.parent_id is None:
        return
    parent = type(child).get_by_id(child.parent_id)
    totals = totals_of(parent)
    # The latest to say what it does, or else whoever else has said it.
    stage = stage_of(child) if child.state in LEASED and child.stage else totals.stage
    _aggregate(parent, totals.done, totals.total, totals.share, stage, begun=child.started_at is not None)
    if child.state in FINISHED:
        _settle(parent)
        parent = parent.reload()
    if _has_failed(child) and not parent.is_finished and str(words := _failure(parent)) != parent.error:
        transitions.write(parent, True, **kept(error=words))
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


def _aggregate(parent: TaskRow, done: int, total: int, share: float, stage: Changes, begun: bool) -> None:
    """Make a workflow say how far its children are, what one of them is doing, and that one has begun.

    Its share never goes back, whatever becomes of the totals of its children: it waits until they get there.
    """
    share = max(share, parent.share or 0.0)
    _write(parent, {"done": done, "total": total or None, "share": share, "updated_at": utcnow()} | stage)
    waits = type(parent).state == State.PENDING
    if begun and transitions.attempt(parent, State.IN_PROGRESS, phrases.PART_STARTED(), waits, started_at=utcnow()):
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


def _finish(parent: TaskRow, outcome: State, error: Words) -> None:
    if outcome == State.CANCELED:
        runs = type(parent).state == State.IN_PROGRESS
        transitions.attempt(parent, State.CANCELING, phrases.PART_CANCELED(), runs)
    wording = {State.SUCCEEDED: phrases.ALL_FINISHED, State.CANCELED: phrases.CANCELED}.get(outcome)
    words = wording() if wording else error
    changes = kept(error=error) | column_changes.releasing_lease(parent)
    if outcome == State.FAILED:
        changes["fingerprint"] = _cause(parent)
    transitions.demand(parent, outcome, words, **changes)


def _has_failed(child: TaskRow) -> bool:
    """Whether it has, or is a workflow of which something has while the rest continues."""
    return child.state == State.FAILED or (child.is_workflow and bool(child.error) and not child.is_finished)


def _failure(parent: TaskRow) -> Words:
    """What has failed of a workflow; empty if nothing has."""
    children = list(parent.children())
    failed = [child for child in children if _has_failed(child)]
    if not failed:
        return ""
    first = phrases.PART_FAILED(title=failed[0].own_title, error=failed[0].own_error)
    if len(children) == 1:
        return first
    return phrases.PARTS_FAILED(failed=len(failed), parts=len(children), first=first)


def _cause(parent: TaskRow) -> str | None:
    """The fingerprint of the first child that has failed: whoever retries what has failed by a cause finds the whole,
    as its parts can't be retried alone."""
    model = type(parent)
    failed = model.select(model.fingerprint).where(model.parent == parent.id, model.state == State.FAILED)
    first = failed.order_by(model.step, model.created_at, model.id).first()
    return first.fingerprint if first else None


def _write(parent: TaskRow, changes: Changes) -> None:
    type(parent).update(**changes).where(type(parent).id == parent.id).execute()
    parent.__data__.update(changes)
