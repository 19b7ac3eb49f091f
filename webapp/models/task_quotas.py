"""Task quotas: how many tasks a person has that have not finished, and how often they start one.

Whatever starts a task or retries one that has ended comes by here, by the engine's observers: pages, workflows, mails,
undo, and what is pressed for many. What is canceled, or has ended, makes room at once.
"""

from peewee import SQL, Select, fn

from tasks.engine.models import observers
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import ACTIVE
from tasks.engine.models.task import Task
from webapp.db import Param, compiled
from webapp.lib.quota_variables import Quota
from webapp.models.quotas import demand, most_of, use
from webapp.models.user import User


@observers.on_start
def take_place(task: TaskRow) -> None:
    """Count a task that starts, in its transaction, and raise OverQuota beyond either quota.

    It holds the person, so that of two requests at once the second counts what the first has started. A hold, a count
    by index, and a write; nothing for somebody who has no such quota.
    """
    user = task.user
    most = most_of(Quota.ACTIVE_TASKS, user)
    if most is None and most_of(Quota.LAUNCHES, user) is None:
        return
    User.hold(user.id)
    if most is not None:
        demand(Quota.ACTIVE_TASKS, count_active(user.id, most + 1), user)
    use(Quota.LAUNCHES, user)


def count_active(user_id: int, up_to: int) -> int:
    """How many tasks of a person have not finished, counted no further than that. One query, by index."""
    return int(_count.execute(user_id=user_id, up_to=up_to).fetchone()[0])


@compiled
def _count() -> Select:
    # By their states, too: SQLite would take the index of all tasks of the person for as good as that of these.
    active = Task.finished_at.is_null() & Task.state.in_(sorted(ACTIVE))
    shown = Task.user == Param("user_id"), Task.parent.is_null(), ~Task.hidden
    some = Task.select(SQL("1").alias("one")).where(*shown, active).limit(Param("up_to")).alias("some")
    return Select([some], [fn.COUNT(SQL("*"))])
