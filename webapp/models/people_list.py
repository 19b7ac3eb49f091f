"""People as operators look for them: by name, address or number, by role, and those with the most under way.

All by index, with no count over everybody; what a page tells of each person is read with the page, in one query.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from peewee import SQL, ModelSelect, fn

from tasks.engine.models.state import ACTIVE
from tasks.engine.models.task import Task
from webapp.db import Row, locks_rows
from webapp.lib.normalization import compatible
from webapp.models.permissions import Role
from webapp.models.storage_count import StorageCount
from webapp.models.user import User

COUNTED = 1001  # tasks of one person, no further
LOOKED_AT = 10_000  # active tasks, to find who has the most
LAST = "{"  # comes after all that a name may have in it


class Show(StrEnum):
    """Which people are listed, where nobody is looked for."""

    NEWEST = ""
    BUSIEST = "busiest"
    STAFF = "staff"
    SUSPENDED = "suspended"


def of_name(prefix: str, after: str, most: int) -> "ModelSelect[User]":
    """People whose name begins so, however it is typed, in the order of names, after one of these."""
    begin = compatible(prefix).strip().lower()
    key: Any = User.username_key.collate('"C"') if locks_rows() else User.username_key
    found = User.select().where(key >= begin, key < begin + LAST, User.deletion_due_at.is_null())
    return (found.where(key > after) if after else found).order_by(key).limit(most)


def of_address(address: str, most: int) -> "ModelSelect[User]":
    """People who have confirmed that address, however it is spelled; the newest first."""
    is_it = fn.LOWER(User.email) == address.lower(), User.email_confirmed_at.is_null(False)
    return User.select().where(*is_it).order_by(User.id.desc()).limit(most)


def shown(show: Show) -> "ModelSelect[User]":
    """Those of a list but the busiest, the newest first, to be paged by `id`."""
    everybody = User.select().where(User.deletion_due_at.is_null()).order_by(User.id.desc())
    if show is Show.SUSPENDED:
        return everybody.where(User.suspended_at.is_null(False))
    return everybody.where(User.role.in_(list(Role))) if show is Show.STAFF else everybody


def busiest(most: int) -> list[User]:
    """Who has the most active tasks, among LOOKED_AT of them; with the most first. Two queries.

    Who that is, is told by an index alone, which counts children and internal tasks as well; then each is counted.
    """
    theirs = Task.select(Task.user).where(Task.state.in_(sorted(ACTIVE))).limit(LOOKED_AT).alias("active")
    number = fn.COUNT(SQL("*"))
    ranked = ModelSelect(Task, [theirs.c.user_id]).from_(theirs).group_by(theirs.c.user_id)
    rows: Iterable[Row] = ranked.order_by(number.desc(), theirs.c.user_id).limit(most).tuples()
    ids = [user_id for (user_id,) in rows]
    found: list[Any] = list(with_figures(User.select().where(User.id.in_(ids)))) if ids else []
    return sorted(found, key=lambda user: (-user.active_tasks, user.id))


def with_figures(users: "ModelSelect[User]") -> "ModelSelect[User]":
    """The same people, each with `active_tasks`, counted no further than COUNTED, and `stored_bytes`. One query."""
    some = Task.select(Task.id).where(Task.user == User.id, _active()).limit(COUNTED).alias("some")
    active = ModelSelect(Task, [fn.COUNT(SQL("*"))]).from_(some)
    stored = StorageCount.select(fn.COALESCE(fn.SUM(StorageCount.size), 0)).where(StorageCount.user == User.id)
    return users.select(User, active.alias("active_tasks"), stored.alias("stored_bytes"))


def active_by_state(user: User) -> dict[str, int]:
    """How many active tasks of a person are in which state, of COUNTED at most. One query, by index."""
    some = Task.select(Task.state).where(Task.user == user.id, _active()).limit(COUNTED).alias("some")
    counted = ModelSelect(Task, [some.c.state, fn.COUNT(SQL("*"))]).from_(some)
    rows: Iterable[Row] = counted.group_by(some.c.state).tuples()
    return {str(state): number for state, number in rows}


def _active() -> Any:
    """Tasks that have not finished, as their owners see them: a workflow is one."""
    # What follows from the states, and databases need to be told to take the index of what has not ended.
    return Task.finished_at.is_null() & Task.state.in_(sorted(ACTIVE)) & Task.parent.is_null() & ~Task.hidden
