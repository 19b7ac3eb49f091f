"""After a restore from a backup: cancel the work in it, which may have been done since."""

from typing import Any

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.phrases import RESTORED
from tasks.engine.models.transitions import IllegalTransition
from webapp.db import database
from webapp.models import AccountMail, ErrorReport, OutcomeMail, Task
from webapp.models.message import Message


def cancel_all() -> int:
    """Cancel every unfinished task in the backup, and drop its pending emails. Returns how many tasks.

    Call it before a worker starts. Owners can retry each task, which continues where the backup has it. A task that ran
    when the backup was made is canceled by the first worker, once its lease has ended.
    """
    able = OWNER_ACTIONS["cancel"].where(Task)
    ids_of_unfinished: Any = Task.select(Task.id).where(able, Task.parent.is_null()).tuples()
    canceled, ids = 0, [task_id for (task_id,) in ids_of_unfinished]
    for task_id in ids:
        task = Task.get_or_none(Task.id == task_id)
        canceled += bool(task and _cancel(task))
    with database.transaction():
        Message.update(mail_due_at=None).where(Message.mail_due_at.is_null(False)).execute()
        OutcomeMail.delete().execute()
        AccountMail.delete().execute()
        ErrorReport.update(due_at=None).where(ErrorReport.due_at.is_null(False)).execute()
    return canceled


def _cancel(task: Task) -> bool:
    try:
        with database.transaction():
            task.cancel()
            task.log(RESTORED())
    except IllegalTransition:
        return False  # somebody was faster
    return True
