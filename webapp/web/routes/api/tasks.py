"""Tasks: what programs read of them."""

from uuid import UUID

from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.finding import find_task
from webapp.web.api.operation import Answer, operation
from webapp.web.api.resources.seen_task import see
from webapp.web.api.resources.task import TASK


@operation("GET", "/tasks/{task_id}", allows=Scope.TASKS_READ, answers={200: TASK, 304: None})
def show_task(call: Call, task_id: UUID) -> Answer:
    """One task."""
    (seen,) = see(call.user, [find_task(call, task_id)])
    return Answer(TASK.of(seen), headers=seen.retry_after, etag=seen.etag)
