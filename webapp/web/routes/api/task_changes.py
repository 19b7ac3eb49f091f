"""What can be changed of a task that is scheduled: its time and its title."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from tasks.engine.models.words import LONGEST
from webapp.lib.normalization import clean
from webapp.models.scopes import Scope
from webapp.web.api.acting import acting_on, find_own, task_answer
from webapp.web.api.call import Call
from webapp.web.api.json_body import BLANK, NOT_BLANK, wrong_body
from webapp.web.api.operation import Answer, Rate, operation
from webapp.web.api.problems import FORBIDDEN, ILLEGAL_TRANSITION, PRECONDITION_FAILED, Fault
from webapp.web.api.resource import STRING, TIME, Schema, described
from webapp.web.api.resources.task import TASK
from webapp.web.api.start_time import read_start_time

CHANGES: Final[Schema] = {
    "type": "object",
    "properties": {
        "run_at": described(TIME, "When it is to start: from now on, and within the next year."),
        "title": described(STRING | {"pattern": NOT_BLANK, "maxLength": LONGEST["title"]}, "What it is called."),
    },
    "minProperties": 1,
    "additionalProperties": False,
}


@operation(
    "PATCH",
    "/tasks/{task_id}",
    allows=Scope.TASKS_WRITE,
    answers={200: TASK},
    body=CHANGES,
    problems=(ILLEGAL_TRANSITION, PRECONDITION_FAILED, FORBIDDEN),
    rate=Rate.WRITE,
)
def change_task(call: Call, task_id: UUID) -> Answer:
    """Change when a scheduled task starts, or what it is called.

    What it was given stays: cancel it, and start another.
    What a scheduled email says can be changed by its mailing.
    """
    task = find_own(call, task_id)
    changes = {name: _READ[name](value) for name, value in call.body.items()}
    with acting_on(task, call):
        task.reschedule(**changes)
    return task_answer(call, task)


def _title(text: str) -> str:
    """In one line. Raises Problem (422) for one that nobody could see."""
    title = clean(" ".join(text.split()))
    if not title:
        raise wrong_body(Fault(BLANK, pointer="/title"))
    return title


_READ: Final[Mapping[str, Callable[[str], Any]]] = {"run_at": read_start_time, "title": _title}
