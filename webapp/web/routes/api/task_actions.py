"""What is asked of one task: an operation for each owner action, by the noun that ends its address on pages, too."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.state import LEASED
from webapp.lib.complete import complete
from webapp.models.scopes import Scope
from webapp.web.api.acting import acting_on, find_own, find_to_act, task_answer
from webapp.web.api.call import Call
from webapp.web.api.operation import Answer, Rate, operation
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
from webapp.web.api.resource import INTEGER, Schema, described
from webapp.web.api.resources.task import TASK
from webapp.web.presenters.action_words import ACTION_WORDS, FINAL_ACTION

ATTEMPT: Final[Schema] = {
    "type": "object",
    "properties": {
        "attempt": described(
            INTEGER | {"minimum": 0, "maximum": 2**31 - 1},
            "Only if the task is at this attempt. A retry begins to count anew: If-Match demands more.",
        )
    },
    "additionalProperties": False,
}
_REFUSALS: Final = (ILLEGAL_TRANSITION, STALE_ATTEMPT, PRECONDITION_FAILED, FORBIDDEN)
_STOPPING: Final = "202 while its run has not come to its next step, at which it stops."
WORDS: Final[Mapping[str, str]] = complete(
    "WORDS",
    OWNER_ACTIONS.keys() - {FINAL_ACTION},
    {
        "cancel": f"""Cancel a task.
            With all its children. {_STOPPING} Twice is once.""",
        "pause": f"""Pause a task.
            {_STOPPING} Twice is once. Workflows can’t be paused.""",
        "resume": """Resume a paused task.
            It goes on where it stopped, once a worker is free. Twice is once, until it has finished.""",
        "retry": """Try a task again, or start now what is scheduled for later.
            It goes on where it stopped. A second retry is another one, if the first has ended by then: send an
            `Idempotency-Key`, or `If-Match` with the ETag of the task that is to be retried.""",
        "dismiss": """Close the alert of a finished task.
            On all pages of its owner, and for good. Twice is once.""",
    },
)
_MORE: Final[Mapping[str, dict[str, Any]]] = {
    "retry": {
        "problems": (*_REFUSALS, SECRETS_GONE, ALREADY_RUNNING, OVER_QUOTA, QUOTA_EXCEEDED),
        "rate": Rate.LAUNCH,
    },
}


def _act(call: Call, task_id: UUID, action: str) -> Answer:
    is_shared = OWNER_ACTIONS[action].by_operators
    task = (find_to_act if is_shared else find_own)(call, task_id)
    with acting_on(task, call, action, (call.body or {}).get("attempt")):
        getattr(task, action)()
    return task_answer(call, task)


def _add(action: str, words: str) -> None:
    def act(call: Call, task_id: UUID) -> Answer:
        return _act(call, task_id, action)

    act.__name__, act.__doc__ = f"{action}_task", words
    shared = {"desk": Scope.DESK_WRITE} if OWNER_ACTIONS[action].by_operators else {}
    more = {"problems": _REFUSALS, "rate": Rate.WRITE} | shared | _MORE.get(action, {})
    answers = {200: TASK, **({202: TASK} if OWNER_ACTIONS[action].targets & LEASED else {})}
    path = f"/tasks/{{task_id}}/{ACTION_WORDS[action].noun}"
    operation("POST", path, allows=Scope.TASKS_WRITE, answers=answers, body=ATTEMPT, may_lack_body=True, **more)(act)


for _action, _words in WORDS.items():
    _add(_action, _words)


@operation(
    "DELETE",
    "/tasks/{task_id}",
    allows=Scope.TASKS_WRITE,
    desk=Scope.DESK_WRITE,
    answers={204: None},
    problems=(ILLEGAL_TRANSITION, PRECONDITION_FAILED, FORBIDDEN),
    rate=Rate.WRITE,
)
def remove_task(call: Call, task_id: UUID) -> Answer:
    """Delete a finished task, with all that it made.

    A child goes with its workflow.
    """
    task = find_to_act(call, task_id)
    with acting_on(task, call, "remove"):
        task.remove()
    return Answer(status=204)
