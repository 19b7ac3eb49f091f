"""What is asked of one task: an operation for each owner action, by the noun that ends its address on pages, too."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.actor import LONGEST_REASON
from tasks.engine.models.state import LEASED
from webapp.lib.normalization import clean
from webapp.models.scopes import Scope
from webapp.web.api.acting import acting_on, find_own, find_to_act, task_answer
from webapp.web.api.call import Call
from webapp.web.api.operation import Answer, Once, Rate, View, operation
from webapp.web.api.parameters import text
from webapp.web.api.problems import (
    ALREADY_RUNNING,
    FORBIDDEN,
    ILLEGAL_TRANSITION,
    OVER_QUOTA,
    PRECONDITION_FAILED,
    QUOTA_EXCEEDED,
    SECRETS_GONE,
    STALE_ATTEMPT,
)
from webapp.web.api.resource import INTEGER, STRING, Schema, described
from webapp.web.api.resources.task import TASK
from webapp.web.presenters.action_words import ACTION_WORDS, FINAL_ACTION, bulk_actions

REASON: Final = (
    "Why, where the task is somebody else’s: its owner reads it in the timeline, and it stands in the audit."
)
_ATTEMPT: Final[Mapping[str, Schema]] = {
    "attempt": described(
        INTEGER | {"minimum": 0, "maximum": 2**31 - 1},
        "Only if the task is at this attempt. A retry begins to count anew: If-Match demands more.",
    )
}
ATTEMPT: Final[Schema] = {"type": "object", "properties": {**_ATTEMPT}, "additionalProperties": False}
# Of what operators may ask for as well.
STEERED: Final[Schema] = ATTEMPT | {
    "properties": {**_ATTEMPT, "reason": described(STRING | {"maxLength": LONGEST_REASON}, REASON)}
}
_REFUSALS: Final = (ILLEGAL_TRANSITION, STALE_ATTEMPT, PRECONDITION_FAILED, FORBIDDEN)
_MORE: Final[Mapping[str, dict[str, Any]]] = {
    "retry": {
        "problems": (*_REFUSALS, SECRETS_GONE, ALREADY_RUNNING, OVER_QUOTA, QUOTA_EXCEEDED),
        "rate": Rate.LAUNCH,
        "once": Once.ALL,
    },
}


def _act(call: Call, task_id: UUID, action: str) -> Answer:
    body = call.body or {}
    reason = " ".join((clean(body.get("reason")) or "").split())
    is_shared = OWNER_ACTIONS[action].by_operators
    task = find_to_act(call, task_id, action, reason) if is_shared else find_own(call, task_id)
    with acting_on(task, call, action, body.get("attempt"), reason):
        getattr(task, action)()
    return task_answer(call, task)


def _named(action: str, view: View) -> View:
    view.__name__, view.__doc__ = f"{action}_task", ACTION_WORDS[action].explanation
    return view


def _add(action: str) -> None:
    def act(call: Call, task_id: UUID) -> Answer:
        return _act(call, task_id, action)

    shared = {"desk": Scope.DESK_WRITE, "body": STEERED} if OWNER_ACTIONS[action].by_operators else {}
    more: dict[str, Any] = {"problems": _REFUSALS, "rate": Rate.WRITE, "body": ATTEMPT, "may_lack_body": True}
    more |= shared | _MORE.get(action, {})
    answers = {200: TASK, **({202: TASK} if OWNER_ACTIONS[action].targets & LEASED else {})}
    path = f"/tasks/{{task_id}}/{ACTION_WORDS[action].noun}"
    operation("POST", path, allows=Scope.TASKS_WRITE, answers=answers, **more)(_named(action, act))


def _remove(call: Call, task_id: UUID) -> Answer:
    reason = " ".join((clean(call.query["reason"]) or "").split())
    task = find_to_act(call, task_id, FINAL_ACTION, reason)
    with acting_on(task, call, FINAL_ACTION, reason=reason):
        task.remove()
    return Answer(status=204)


for _action in bulk_actions():  # all but the final one
    _add(_action)
operation(
    "DELETE",
    "/tasks/{task_id}",
    allows=Scope.TASKS_WRITE,
    desk=Scope.DESK_WRITE,
    answers={204: None},
    query=(text("reason", LONGEST_REASON, REASON),),
    problems=(ILLEGAL_TRANSITION, PRECONDITION_FAILED, FORBIDDEN),
    rate=Rate.WRITE,
)(_named(FINAL_ACTION, _remove))
