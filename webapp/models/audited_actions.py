"""AUDITED: the one table of what is audited, with what it needs and its words. To audit more, add a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webapp.lib.complete import complete
from webapp.models.permissions import Action


class Audited(StrEnum):
    """What is audited. The value stands in rows."""

    CANCEL_TASK = "cancel task"
    PAUSE_TASK = "pause task"
    RESUME_TASK = "resume task"
    RETRY_TASK = "retry task"
    REMOVE_TASK = "remove task"
    PRIORITIZE_TASK = "prioritize task"
    SHOW_ARGUMENTS = "show arguments"
    START_BULK = "start bulk action"
    END_BULK = "end bulk action"
    FORCE_END_TASK = "force end task"
    QUIET_WORKER = "quiet worker"
    RESUME_WORKER = "resume worker"
    SUSPEND_PERSON = "suspend person"
    REINSTATE_PERSON = "reinstate person"
    END_SESSIONS = "end sessions"
    CHANGE_QUOTA = "change quota"
    CHANGE_ROLE = "change role"
    SET_PASSWORD = "set password"  # noqa: S105 - no password
    TURN_OFF_SECOND_FACTOR = "turn off second factor"
    DELETE_PERSON = "delete person"
    KEEP_PERSON = "keep person"
    CLOSE_REPORT = "close report"
    SUPPRESS_ADDRESS = "suppress address"
    ALLOW_ADDRESS = "allow address"
    PAUSE_KIND = "pause kind"
    RESUME_KIND = "resume kind"
    LIMIT_KIND = "limit kind"


@dataclass(frozen=True)
class AuditedRow:
    """What an audited action needs, and its `words`, as a list of them says it: “Canceled a task”."""

    needs: Action
    words: str


AUDITED: Mapping[Audited, AuditedRow] = complete(
    "AUDITED",
    Audited,
    {
        Audited.CANCEL_TASK: AuditedRow(Action.STEER, "Canceled a task"),
        Audited.PAUSE_TASK: AuditedRow(Action.STEER, "Paused a task"),
        Audited.RESUME_TASK: AuditedRow(Action.STEER, "Resumed a task"),
        Audited.RETRY_TASK: AuditedRow(Action.STEER, "Retried a task"),
        Audited.REMOVE_TASK: AuditedRow(Action.STEER, "Deleted a task"),
        Audited.PRIORITIZE_TASK: AuditedRow(Action.STEER, "Changed the priority of a task"),
        Audited.SHOW_ARGUMENTS: AuditedRow(Action.STEER, "Looked at the arguments of a task"),
        Audited.START_BULK: AuditedRow(Action.STEER, "Began to act on many tasks"),
        Audited.END_BULK: AuditedRow(Action.STEER, "Acted on many tasks"),
        Audited.FORCE_END_TASK: AuditedRow(Action.STEER, "Ended a task by force"),
        Audited.QUIET_WORKER: AuditedRow(Action.STEER, "Quieted a worker"),
        Audited.RESUME_WORKER: AuditedRow(Action.STEER, "Let a worker take tasks again"),
        Audited.SUSPEND_PERSON: AuditedRow(Action.MANAGE_PEOPLE, "Suspended an account"),
        Audited.REINSTATE_PERSON: AuditedRow(Action.MANAGE_PEOPLE, "Reinstated an account"),
        Audited.END_SESSIONS: AuditedRow(Action.MANAGE_PEOPLE, "Ended all sessions of an account"),
        Audited.CHANGE_QUOTA: AuditedRow(Action.MANAGE_PEOPLE, "Changed a quota of a person"),
        Audited.CHANGE_ROLE: AuditedRow(Action.MANAGE_PEOPLE, "Changed a role"),
        Audited.SET_PASSWORD: AuditedRow(Action.MANAGE_PEOPLE, "Set a new password for an account"),
        Audited.TURN_OFF_SECOND_FACTOR: AuditedRow(Action.MANAGE_PEOPLE, "Turned off two-factor authentication"),
        Audited.DELETE_PERSON: AuditedRow(Action.MANAGE_PEOPLE, "Had an account deleted"),
        Audited.KEEP_PERSON: AuditedRow(Action.MANAGE_PEOPLE, "Kept an account that was to be deleted"),
        Audited.CLOSE_REPORT: AuditedRow(Action.STEER, "Closed a report"),
        Audited.SUPPRESS_ADDRESS: AuditedRow(Action.STEER, "Suppressed an address"),
        Audited.ALLOW_ADDRESS: AuditedRow(Action.STEER, "Let an address be mailed again"),
        Audited.PAUSE_KIND: AuditedRow(Action.STEER, "Paused a kind of tasks"),
        Audited.RESUME_KIND: AuditedRow(Action.STEER, "Resumed a kind of tasks"),
        Audited.LIMIT_KIND: AuditedRow(Action.STEER, "Limited a kind of tasks"),
    },
)
