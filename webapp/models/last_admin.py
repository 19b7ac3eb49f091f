"""The last admin: the admins whose role counts, of whom there always has to be one left."""

from collections.abc import Callable

from webapp.models.permissions import Role
from webapp.models.user import User


class CannotLose(ValueError):
    """It is the last admin whose role counts: nobody could give the role to anybody else on the pages."""

    def __init__(self) -> None:
        super().__init__("the last admin")


def hold_admins(*others: int, hold: Callable[..., None] = User.hold) -> set[int]:
    """Lock all admins whose role counts, and these other people, in one order; returns the ids of the admins.

    Of two who take each other's role, or suspend each other, the second finds what the first has done. In a
    transaction; three queries. `hold` is how, see `User`.
    """
    hold(*sorted({*_admins(), *others}))
    return _admins()


def _admins() -> set[int]:
    chosen = User.role == Role.ADMIN, User.suspended_at.is_null(), User.totp_secret.is_null(False)
    return {user.id for user in User.select(User.id).where(*chosen, User.password_hash != "")}
