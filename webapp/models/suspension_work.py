"""What follows a suspension, a little at a time: tasks are held, posts are hidden; and both are undone once it is
lifted.

Each task moves in a transaction of its own with the row that says it was held: whoever goes on after a crash, or at the
same time, does nothing twice and forgets nothing.
"""

import time
from datetime import timedelta

from peewee import DoesNotExist

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.actor import by_operator
from tasks.engine.models.composition import Composition
from tasks.engine.models.state import LEASED, TIMED, State
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition
from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.deletion_table import FATES
from webapp.models.suspension import HeldTask, Suspension

AT_ONCE = 200  # tasks, or posts, in one go
LONGEST = 1.0  # seconds
SETTLED = timedelta(minutes=1)  # by then no request is under way any more that began before the suspension


class _Lifted(Exception):
    """It is over: what was about to be held is not."""


def carry_out(suspension: Suspension, most: int = AT_ONCE, longest: float = LONGEST) -> bool:
    """Do what a suspension still has to do, or has to undo if it is lifted; for so many seconds, with at most so many
    tasks and posts. Returns whether all of that is done."""
    until = time.monotonic() + longest
    return _let_go_on(suspension, most, until) if suspension.lifted_at else _hold(suspension, most, until)


def carry_out_some(at_once: int) -> None:
    """Go on with what `carry_out` has left, for about LONGEST. One small query, by index, where it has left nothing."""
    until = time.monotonic() + LONGEST
    for suspension in Suspension.select().where(Suspension.settled_at.is_null()).order_by(Suspension.id).limit(at_once):
        if (left := until - time.monotonic()) > 0:
            carry_out(suspension, at_once, left)


def _hold(suspension: Suspension, most: int, until: float) -> bool:
    theirs = (Task.user == suspension.user_id) & ~Task.hidden
    to_pause = theirs & OWNER_ACTIONS["pause"].where(Task)
    to_put_off = theirs & (Task.state == State.SCHEDULED) & Task.run_at.is_null(False)
    for which in (to_pause, to_put_off):
        for task in Task.select().where(which).limit(most):
            if time.monotonic() > until or not _hold_task(suspension, task):
                return False
    is_hidden = _hide(suspension, hidden=True, most=most)
    stops = (Task.composition == Composition.SINGLE) & Task.state.in_(sorted(LEASED))
    goes_on = to_pause | (theirs & (stops | (Task.state.in_(sorted(TIMED)) & Task.run_at.is_null(False))))
    is_new = suspension.suspended_at > utcnow() - SETTLED  # something may still be being started
    if is_new or not is_hidden or Task.select().where(goes_on).exists():
        return False
    still = Suspension.lifted_at.is_null() & (Suspension.id == suspension.id)
    return bool(Suspension.update(settled_at=utcnow()).where(still).execute())


def _hold_task(suspension: Suspension, task: Task) -> bool:
    """Pause a task, or put it off; False where the suspension has been lifted meanwhile, and then nothing is done."""
    try:
        with database.transaction(), by_operator(suspension.reason):
            run_at = task.run_at if task.is_scheduled else None
            if task.is_scheduled:
                task.put_off()
            else:
                task.pause()
            still = Suspension.lifted_at.is_null() & (Suspension.id == suspension.id)
            if not locking(Suspension.select(Suspension.id).where(still)).first():
                raise _Lifted
            row = HeldTask.insert(suspension=suspension.id, task=task.id, run_at=run_at)
            row.on_conflict_ignore().execute()
    except _Lifted:
        return False
    except (IllegalTransition, DoesNotExist):
        pass  # it has moved; what it has become is looked at again
    return True


def _let_go_on(suspension: Suspension, most: int, until: float) -> bool:
    held = HeldTask.select(HeldTask, Task).join(Task).where(HeldTask.suspension == suspension.id)
    for row in held.order_by(HeldTask.id).limit(most):
        if time.monotonic() > until:
            return False
        if row.task.state != State.PAUSING:  # else its run has not reached its next step yet
            _let_task_go_on(row)
    if not _hide(suspension, hidden=False, most=most):
        return False
    with database.atomic():
        over = (Suspension.id == suspension.id) & Suspension.lifted_at.is_null(False)
        if not locking(Suspension.select(Suspension.id).where(over)).first() or held.exists():
            return False
        return bool(Suspension.delete().where(over).execute())


def _let_task_go_on(row: HeldTask) -> None:
    task = row.task
    try:
        with database.transaction(), by_operator():
            if task.is_scheduled and task.run_at is None:
                task.reschedule(row.run_at)
            elif task.state == State.PAUSED:
                task.resume()
            row.delete_instance()
    except (IllegalTransition, DoesNotExist):
        pass  # somebody was faster; the next time finds what has become of it


def _hide(suspension: Suspension, *, hidden: bool, most: int) -> bool:
    """Hide at most so many of their posts, or show them again; whether that was all. In a transaction of its own."""
    number = 0
    with database.atomic():
        for fate in FATES.values():
            if fate.hide and number < most:
                number += fate.hide(suspension.user_id, hidden, most - number)
    return number < most
