"""Finding what the address of a request names: one's own, or what one's role lets one see."""

from uuid import UUID

from webapp.models import Task
from webapp.models.scopes import Scope
from webapp.web.api.authentication import reaches_others
from webapp.web.api.call import Call
from webapp.web.ownership import refuse


def find_task(call: Call, task_id: UUID, others: Scope = Scope.DESK_READ) -> Task:
    """The task of this id: this person's own, or anybody's by the scope `others` and the role that it needs.

    Answers 404 for any other, which the security log has. One query for one's own, and one more otherwise.
    """
    return Task.find(call.user, task_id) or _others_task(call, task_id, others) or refuse(Task, task_id)


def _others_task(call: Call, task_id: UUID, scope: Scope) -> Task | None:
    return Task.find_anybodys(task_id) if reaches_others(call.token, scope) else None
