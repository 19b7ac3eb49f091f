"""Staff: the people whose role lets them see the desk. They are few, however many people there are."""

from peewee import ModelSelect

from webapp.models.permissions import Action, may
from webapp.models.user import User

MOST_STAFF = 200  # that are told of anything


def staff() -> list[User]:
    """Those who may view the desk, by id, the first MOST_STAFF. One query, by an index that has nobody else."""
    return [user for user in with_role().limit(MOST_STAFF) if may(user, Action.VIEW_DESK)]


def with_role() -> "ModelSelect[User]":
    """Whoever has a role, whether or not it allows them anything, by id."""
    return User.select().where(User.role.is_null(False), User.deletion_due_at.is_null()).order_by(User.id)


User.add_index(User.role, where=User.role.is_null(False), name="users_with_role")
