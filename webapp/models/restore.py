"""A restored copy of a site: it believes that it is still then, and would do again what has been done since."""

from typing import Any

from webapp.db import database
from webapp.models import Message, OutcomeMail, Task
from webapp.models.task.state import OWNER_ACTIONS
from webapp.models.task.transitions import IllegalTransition

WHY = "Canceled because the site was restored from a backup; retry it if it still needs to be done"


def cancel_all() -> int:
    """Cancel all that waits, is scheduled or ran when the backup was made, and mail nobody what was to be mailed then.

    Returns how many tasks that were. To be called before a worker starts; their owners can try each again, and it goes
    on where the backup has it. What ran is canceled by the first worker, once its lease is seen to have ended.
    """
    able: Any = Task.state.in_(sorted(OWNER_ACTIONS["cancel"]))
    wholes: Any = Task.select(Task.id).where(able, Task.parent.is_null()).tuples()
    canceled, ids = 0, [task_id for (task_id,) in wholes]
    for task_id in ids:
        task = Task.get_or_none(Task.id == task_id)
        canceled += bool(task and _cancel(task))
    with database.transaction():
        Message.update(mail_due_at=None).where(Message.mail_due_at.is_null(False)).execute()
        OutcomeMail.delete().execute()
    return canceled


def _cancel(task: Task) -> bool:
    try:
        with database.transaction():
            task.cancel()
            task.log(WHY)
    except IllegalTransition:
        return False  # somebody was faster
    return True
