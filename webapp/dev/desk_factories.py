"""Rows about the desk, for tests and for demonstration; as in `factories`."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, User, Worker
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


def make_worker(host: str = "worker-1", **fields: Any) -> Worker:
    """A worker that lives, with two processes."""
    now = utcnow()
    defaults: dict[str, Any] = {
        "token": uuid4().hex,
        "pid": 4711,
        "processes": 2,
        "release": "release",
        "memory": 10**8,
    }
    return Worker.create(host=host, **defaults | {"lives_until": now + timedelta(seconds=20)} | fields)
