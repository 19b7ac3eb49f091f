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
from typing import TYPE_CHECKING, Any
from uuid import UUID

from peewee import Case, fn

from webapp.database import database, locking
from webapp.models.state import FINISHED, State

if TYPE_CHECKING:
    from webapp.models.task import Task


class _Canceling(threading.local):
    """The wholes whose parts this thread is canceling: they are settled when all of them have been."""

    def __init__(self) -> None:
        self.wholes: set[UUID] = set()


_canceling = _Canceling()


@contextmanager
def changing(task: "Task") -> Iterator[None]:
    """A transaction in which a task may be changed: nobody else changes anything of its family meanwhile."""
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


def begin(whole: "Task") -> None:
    """Let the parts of the first step start that still has some to do."""
    parts = _parts(whole)
    steps = [part.step for part in parts if part.state == State.WAITING]
    for part in parts:
        if part.state == State.WAITING and part.step == min(steps):
            part.begin()


def cancel_parts(whole: "Task") -> None:
    """Ask everything to stop that has not ended."""
    _canceling.wholes.add(whole.id)
    try:
        for part in _parts(whole):
            if part.can("cancel"):
                part.cancel()
    finally:
        _canceling.wholes.discard(whole.id)
    _settle(type(whole).get_by_id(whole.id))


def reopen(whole: "Task") -> None:
    """Make all parts wait again that have not succeeded; `begin` then starts the first of them."""
    for part in _parts(whole):
        if part.state in FINISHED - {State.SUCCEEDED}:
            part.wait_again()
            reopen(part)


def follow(part: "Task") -> None:
    """Bring the whole up to date after a move or some progress of a part; and what the whole is itself a part of."""
    if part.parent_id is None:
        return
    whole = type(part).get_by_id(part.parent_id)
    whole.sum_up(*_sums(whole), begun=part.started_at is not None)
    if part.state in FINISHED:
        _settle(whole)
    follow(whole)


def tree(whole: "Task") -> "dict[UUID | None, list[Task]]":
    """All below a whole: the parts of each, by its id. One query; none for a task that has no parts."""
    found: dict[UUID | None, list[Task]] = {}
    if whole.kind != "single":
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
        whole.conclude(next(state for state in verdicts if state in states), _in_words(whole))
    elif unwanted:
        cancel_parts(whole)  # which comes back to this, and settles it
    else:
        begin(whole)


def _in_words(whole: "Task") -> str:
    parts = _parts(whole)
    failed = [part for part in parts if part.state == State.FAILED]
    if not failed:
        return ""
    first = f"{failed[0].title}: {failed[0].error}"
    return first if len(parts) == 1 else f"{len(failed)} of {len(parts)} parts failed. {first}"


def _sums(whole: "Task") -> tuple[int, int]:
    """The steps done and the steps in all of a whole's parts. A part of unknown length counts as one step more."""
    model: Any = type(whole)
    total = Case(None, [(model.total.is_null(False), model.total)], model.done + 1)
    total = Case(None, [(model.state == State.SUCCEEDED, fn.COALESCE(model.total, model.done))], total)
    sums = model.select(fn.COALESCE(fn.SUM(model.done), 0), fn.COALESCE(fn.SUM(total), 0))
    return tuple(int(number) for number in sums.where(model.parent == whole.id).tuples().get())  # type: ignore[return-value]


def _parts(whole: "Task") -> list["Task"]:
    return list(whole.parts())
