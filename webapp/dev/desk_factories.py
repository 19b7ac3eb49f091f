"""Rows about the desk, for tests and for demonstration; as in `factories`."""

from typing import Any

from webapp.dev.factories import make_task, make_user
from webapp.lib.error_shape import ErrorShape
from webapp.models import AuditEntry, FailureGroup, HeldTask, State, Suspension, Task, User
from webapp.models.audit import Audited, Outcome, Via
from webapp.models.permissions import Role


def make_staff(role: Role = Role.OPERATOR, name: str = "", **fields: Any) -> User:
    """Somebody who has a role, and the second factor that it needs."""
    return make_user(name, **{"role": role, "totp_secret": "sealed"} | fields)


def make_audit_entry(actor: User | None = None, action: Audited = Audited.CANCEL_TASK, **fields: Any) -> AuditEntry:
    """That somebody did something at the desk."""
    actor = actor or make_staff()
    defaults = {"role": actor.role, "via": Via.PAGE, "target": "task 1", "outcome": Outcome.DONE, "action": action}
    return AuditEntry.create(actor=actor, **defaults | fields)


def make_failure(message: str = "The server is down", kind: str = "countdown", tasks: int = 1) -> FailureGroup:
    """A cause by which so many tasks of a kind have failed just now."""
    place = f"tasks/{kind}.py:{kind}"
    shape = ErrorShape("ConnectionError", place, message, f"  tasks/{kind}.py:20 in {kind}")
    for _ in range(tasks):
        make_task(State.IN_PROGRESS, name=kind).fail(message, shape)
    return FailureGroup.get_by_id(shape.fingerprint(kind))


def make_suspension(user: User, held: Task | None = None, reason: str = "Sends spam.") -> Suspension:
    """That somebody is suspended, and a task of theirs held, without what follows from it; see `Suspension.begin`."""
    suspension: Suspension = Suspension.create(user=user, reason=reason)
    if held:
        HeldTask.create(suspension=suspension, task=held)
    return suspension
