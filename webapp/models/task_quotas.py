"""Task quotas: how many tasks a person has that have not finished, and how often they start one.

Whatever starts a task or retries one that has ended comes by here, by the engine's observers: pages, workflows, mails,
undo, and what is pressed for many. What is canceled, or has ended, makes room at once.
"""

from peewee import ModelSelect

from tasks.engine.models import observers
from tasks.engine.models.composition import Composition
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import ACTIVE
from tasks.engine.models.task import Task
from webapp.db import Param, Untyped, compiled
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
        # A workflow that has more children takes all that there is at once.
        use(Quota.LAUNCHES, user, _count_left([task.id], launches) if task.is_workflow else 1)


def count_active(user_id: int, up_to: int) -> int:
    """How many tasks of a person have not finished, counted no further than that. One query, by index.

    A workflow is as many as it has children that have not: it would be a way around otherwise. One query more then.
    """
    shown = _shown.execute(user_id=user_id, up_to=up_to).fetchall()
    workflows = [task_id for task_id, composition in shown if composition != Composition.SINGLE]
    return len(shown) - len(workflows) + (_count_left(workflows, up_to) if workflows else 0)


def _count_left(workflows: list[Untyped], up_to: int) -> int:
    """How many tasks in these workflows have not finished. One query, by index."""
    # Spelled so, as SQLite would go by the index of all that has not finished, whosoever it is.
    is_left = ~Task.finished_at.is_null(False)
    below = Task.root.in_(workflows), Task.composition == Composition.SINGLE, is_left
    return Task.select().where(*below).limit(up_to).count()


@compiled
def _shown() -> "ModelSelect[Task]":
    # By their states, too: SQLite would take the index of all tasks of the person for as good as that of these.
    active = Task.finished_at.is_null() & Task.state.in_(sorted(ACTIVE))
    shown = Task.user == Param("user_id"), Task.parent.is_null(), ~Task.hidden, active
    return Task.select(Task.id, Task.composition).where(*shown).limit(Param("up_to"))
