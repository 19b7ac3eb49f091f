"""Families: tasks that are made of parts, which are tasks themselves.

A chain's parts run one after the other, a group's side by side, and a chord is a group with one more part after it. All
three are the same here: each part has a `step`, the parts of a step run side by side, and the next step begins when
all of them are done. The whole follows its parts, in the transaction in which a part moves: so it survives whatever
they survive.

Whoever changes a part first locks the row of the topmost whole, its root: else two parts that end at the same moment
would each find the other still running.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from peewee import Case, fn

from webapp.db import database, locking
from webapp.lib.i18n import number
from webapp.models.task.state import FINISHED, LEASED, State

if TYPE_CHECKING:
    from webapp.models.task.task import Task


class _Canceling(threading.local):
    """The wholes whose parts this thread is canceling: they are settled when all of them have been."""

    def __init__(self) -> None:
        self.wholes: set[UUID] = set()


_canceling = _Canceling()


@contextmanager
def changing(task: "Task") -> Iterator[None]:
    """A transaction in which a task may be changed: nobody else changes anything of its family meanwhile.

    It takes the first lock of all: see the order in `webapp/models/__init__.py`.
    """
    model = type(task)
    with database.transaction():
        if task.root_id:
            model.update(done=model.done).where(model.id == task.root_id).execute()
        yield


@contextmanager
def changing_if_free(task: "Task") -> Iterator[bool]:
    """As `changing`, but where another transaction has the task or its family for now, it says so and waits for none.

    Only PostgreSQL can tell. Elsewhere whoever writes waits for all others in any case.
    """
    model, ids = type(task), [task.id, task.root_id or task.id]
    with database.transaction():
        locked = locking(model.select(model.id).where(model.id.in_(ids)), skip_locked=True)
        yield len(list(locked)) == len(set(ids))


def start_next_step(whole: "Task") -> None:
    """Let the parts of the first step start that still has some to do."""
    parts = _children(whole)
    steps = [part.step for part in parts if part.state == State.WAITING]
    for part in parts:
        if part.state == State.WAITING and part.step == min(steps):
            part.begin()


def cancel_children(whole: "Task") -> None:
    """Ask everything to stop that has not ended."""
    _canceling.wholes.add(whole.id)
    try:
        for part in _children(whole):
            if part.can("cancel"):
                part.cancel()
    finally:
        _canceling.wholes.discard(whole.id)
    _settle(type(whole).get_by_id(whole.id))


def is_being_canceled(whole_id: "UUID | None") -> bool:
    """Whether this thread is asking all parts of a whole to stop."""
    return whole_id in _canceling.wholes


def reset_for_retry(whole: "Task") -> None:
    """Make all parts wait again that have not succeeded; `begin` then starts the first of them."""
    for part in _children(whole):
        if part.state in FINISHED - {State.SUCCEEDED}:
            part.reset_for_retry()
            reset_for_retry(part)


def set_expected_total(whole: "Task") -> None:
    """Say how many steps a whole has that has just got its parts; nobody knows where one part does not."""
    totals = [part.expected for part in _children(whole)]
    whole.expect(None if None in totals else sum(totals))  # type: ignore[arg-type]


def update_parent(part: "Task") -> None:
    """Bring the whole up to date after a move or some progress of a part; and what the whole is itself a part of."""
    if part.parent_id is None:
        return
    whole = type(part).get_by_id(part.parent_id)
    sums = _sums(whole)
    # The latest to say what it does, or else whoever else has said it.
    stage = (part.stage if part.state in LEASED else "") or sums.stage
    whole.aggregate(sums.done, sums.total, sums.share, stage, begun=part.started_at is not None)
    if part.state in FINISHED:
        _settle(whole)
        whole = whole.reload()
    if _has_failed(part) and not whole.is_finished and (words := _in_words(whole)) != whole.error:
        whole.report_child_failure(words)
    update_parent(whole)


def tree(whole: "Task") -> "dict[UUID | None, list[Task]]":
    """All below a whole: the parts of each, by its id. One query; none for a task that has no parts."""
    found: dict[UUID | None, list[Task]] = {}
    if whole.composition != "single":
        model = type(whole)
        below = model.select().where(model.root == (whole.root_id or whole.id))
        for part in below.order_by(model.step, model.created_at, model.id):
            found.setdefault(part.parent_id, []).append(part)
    return found


def _settle(whole: "Task") -> None:
    """Decide what comes after parts have ended: the next step, or the end of the whole."""
    model: Any = type(whole)
    found = model.select(model.state).where(model.parent == whole.id).distinct()
    states = {part.state for part in found}
    if whole.is_finished or whole.id in _canceling.wholes or states - FINISHED - {State.WAITING}:
        return
    unwanted = whole.state == State.CANCELING or states & {State.FAILED, State.CANCELED}
    if State.WAITING not in states:
        verdicts = (State.FAILED, State.CANCELED, State.SUCCEEDED)  # the worst counts
        whole.finish_parent(next(state for state in verdicts if state in states), _in_words(whole))
    elif unwanted:
        cancel_children(whole)  # which comes back to this, and settles it
    else:
        start_next_step(whole)


def _has_failed(part: "Task") -> bool:
    """Whether it has, or is a whole of which something has while the rest goes on."""
    return part.state == State.FAILED or (part.composition != "single" and bool(part.error) and not part.is_finished)


def _in_words(whole: "Task") -> str:
    parts = _children(whole)
    failed = [part for part in parts if _has_failed(part)]
    if not failed:
        return ""
    first = f"{failed[0].title}: {failed[0].error}"
    return first if len(parts) == 1 else f"{number(len(failed))} of {number(len(parts))} parts failed. {first}"


class _Sums(NamedTuple):
    """Of all parts of a whole: their steps, the share that is done, and what one that runs says it is doing."""

    done: int
    total: int
    share: float
    stage: str


def _sums(whole: "Task") -> _Sums:
    """How far the parts are. One query.

    A part weighs as many steps as it was started with; where that was not known of one, each weighs the same. A part
    of unknown length counts as one step more, and as nothing of the share before it has ended.
    """
    model: Any = type(whole)
    total = Case(None, [(model.total.is_null(False), model.total)], model.done + 1)
    total = Case(None, [(model.state == State.SUCCEEDED, fn.COALESCE(model.total, model.done))], total)
    own = model.done.cast("FLOAT") / model.total
    ended, composed = model.state == State.SUCCEEDED, model.composition != "single"
    kinds = [(ended, 1.0), (composed, fn.COALESCE(model.share, 0.0)), (model.done > model.total, 1.0)]
    share = Case(None, [*kinds, (model.total > 0, own)], 0.0)
    stage = Case(None, [(model.state.in_(sorted(LEASED)), model.stage)], "")
    weights = (fn.COUNT(model.id) - fn.COUNT(model.expected), fn.SUM(model.expected), fn.SUM(share * model.expected))
    query = model.select(fn.SUM(model.done), fn.SUM(total), fn.AVG(share), fn.MAX(stage), *weights)
    done, total, mean, stage, unknown, expected, weighted = query.where(model.parent == whole.id).tuples().get()
    return _Sums(int(done), int(total), float(weighted) / float(expected) if expected and not unknown else mean, stage)


def _children(whole: "Task") -> list["Task"]:
    return list(whole.parts())
