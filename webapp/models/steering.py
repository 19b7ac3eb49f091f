"""Steering: what operators do to one task of somebody else, audited, and with a reason that its owner reads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.actor import by_operator
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition
from webapp.models.audit import Asker, Audited, AuditEntry, audit
from webapp.models.user import User

# What the audit calls each action that is not its owner's alone.
STEERING: Final[Mapping[str, Audited]] = {
    name: Audited(f"{name} task") for name, action in OWNER_ACTIONS.items() if action.by_operators
}
_GOES_ON: Final = frozenset(STEERING[name] for name in STEERING if State.PENDING in OWNER_ACTIONS[name].targets)


class OwnerSuspended(IllegalTransition):
    """Whoever it belongs to is suspended: what is theirs goes on with them, and nobody lets it go on before."""


def target_of(task: TaskRow) -> str:
    """What the audit calls the target of what is done to a task."""
    return f"task {task.id}"


def lets_go_on(action: Audited) -> bool:
    """Whether it lets a task go on that is held, or starts one anew."""
    return action in _GOES_ON


def demand_in_use(task: TaskRow, action: Audited) -> None:
    """Raise OwnerSuspended for what would let a task go on whose owner is suspended. The site's own work about them
    goes on. One query, for what lets tasks go on alone."""
    if not lets_go_on(action) or task.hidden:
        return
    if User.select().where(User.id == task.user_id, User.suspended_at.is_null(False)).exists():
        raise OwnerSuspended(task, State.PENDING)


def steer(asker: Asker, task: Task, action: str, reason: str = "") -> None:
    """Do one of STEERING to a task; raises what the verb of Task raises, when the audit says that it was refused.

    Call it in no transaction of your own.
    """
    target = target_of(task)
    with (
        audit(asker, STEERING[action], target, about=task.user_id, reason=reason) as entry,
        noted(entry, task, reason),
    ):
        getattr(task, action)()


@contextmanager
def noted(entry: AuditEntry, task: Task, reason: str = "") -> Iterator[None]:
    """Within the block, an operator does something to a task: the entry gets its state before and after, or whatever
    else has changed of what the audit keeps. The task is read anew by whoever needs to know what it was. Raises
    OwnerSuspended."""
    demand_in_use(task, Audited(entry.action))
    before = _noted(task)
    with by_operator(reason):
        yield
    after = _noted(task)
    changed = [name for name in after if after[name] != before[name]]
    entry.before, entry.after = ({name: noted[name] for name in changed} or None for noted in (before, after))


def _noted(task: Task) -> dict[str, Any]:
    return {"state": task.state.value, "priority": task.priority, "run_at": task.run_at and task.run_at.isoformat()}


@contextmanager
def noted_kind(entry: AuditEntry, name: str) -> Iterator[None]:
    """The same for what an operator decides of all tasks of one kind. Two queries."""
    entry.before = _decided(name)
    yield
    entry.after = _decided(name)


def _decided(name: str) -> Any:
    control = KindControl.of(name)
    return control and control.decided
