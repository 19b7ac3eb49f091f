"""The end of a bulk action in the audit: written with the end of its task, however that ends."""

from tasks.engine.models.observers import on_finish
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.models.audit import LONGEST_ERROR, Audited, AuditEntry
from webapp.models.audit import Outcome as AuditOutcome
from webapp.models.bulk_actions import BULK_NAME
from webapp.models.bulk_actions.outcomes import count
from webapp.models.steering import target_of

_COPIED = ("actor", "command_user", "role", "via", "token_id", "network", "request_id", "target", "reason")


@on_finish
def audit_end(task: TaskRow) -> None:
    """Say in the audit how many it was done to and why not to the others, beside what was asked for.

    A query and a write, for bulk actions alone.
    """
    if task.name != BULK_NAME:
        return
    started = AuditEntry.target == target_of(task), AuditEntry.action == Audited.START_BULK.value
    begun = AuditEntry.select().where(*started, AuditEntry.outcome == AuditOutcome.DONE.value).first()
    if begun is None:
        return
    counts = count(((task.cursor or {}).get("own") or {}).get("counts", {}))
    failed = task.state == State.FAILED
    AuditEntry.create(
        **{name: begun.__data__[name] for name in _COPIED},
        action=Audited.END_BULK.value,
        count=sum(number for outcome, number in counts.items() if outcome.is_done),
        after=(begun.after or {}) | {"outcomes": {str(outcome): number for outcome, number in counts.items()}},
        outcome=AuditOutcome.REFUSED if failed else AuditOutcome.DONE,
        error=task.error[:LONGEST_ERROR] if failed else "",
    )
