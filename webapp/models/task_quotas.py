"""Task quotas: how many tasks a person has that have not finished, and how often they start one.

Whatever starts a task or retries one that has ended comes by here, by the engine's observers: pages, workflows, mails,
undo, and what is pressed for many. What is canceled, or has ended, makes room at once.
"""

from peewee import SQL, Select, fn

from tasks.engine.models import observers
from tasks.engine.models.composition import Composition
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
    by index, and a write; nothing for somebody who has no such quota. A query more for a workflow.
    """
    user = task.user
    most, launches = most_of(Quota.ACTIVE_TASKS, user), most_of(Quota.LAUNCHES, user)
    if most is None and launches is None:
        return
    User.hold(user.id)
    if most is not None:
        demand(Quota.ACTIVE_TASKS, count_active(user.id, most + 1), user)
    if launches is not None:
        use(Quota.LAUNCHES, user, min(_size(task), launches))  # what has more children takes all that there is at once


def count_active(user_id: int, up_to: int) -> int:
    """How many tasks of a person have not finished, counted no further than that. One query, by index.

    A workflow is as many as it has children: it would be a way around otherwise.
    """
    return int(_count.execute(user_id=user_id, up_to=up_to).fetchone()[0])


def _size(task: TaskRow) -> int:
    """How many tasks begin with that one."""
    if not task.is_workflow:
        return 1
    below = Task.root == task.id, Task.composition == Composition.SINGLE, Task.finished_at.is_null()
    return Task.select().where(*below).count()


@compiled
def _count() -> Select:
    # By their states, which are in an index with the person: few are hidden, or workflows.
    active = Task.user == Param("user_id"), Task.state.in_(sorted(ACTIVE)), Task.finished_at.is_null()
    seen = ~Task.hidden, Task.composition == Composition.SINGLE
    some = Task.select(SQL("1").alias("one")).where(*active, *seen).limit(Param("up_to")).alias("some")
    return Select([some], [fn.COUNT(SQL("*"))])
