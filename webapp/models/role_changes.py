"""Giving a role to somebody, or taking it from them."""

from webapp.db import database
from webapp.models.account_mail import AccountMail
from webapp.models.last_admin import CannotLose, hold_admins
from webapp.models.permissions import Role
from webapp.models.session import Session
from webapp.models.user import User


class CannotHaveRole(ValueError):
    """A guest, who proves with nothing who they are, cannot have a role."""


def change_role(user: User, role: Role | None, *, keeps_an_admin: bool = False) -> bool:
    """Give an account a role, or none; returns whether it had another one before.

    They are told by mail, if they have an address, and have to prove once more who they are in each of their sessions
    before they do what asks for that. No session ends. Raises CannotHaveRole for a guest, and where it `keeps_an_admin`
    CannotLose for the last one whose role counts.
    """
    with database.atomic():
        admins = hold_admins(user.id)
        now = User.get_by_id(user.id)
        if role and now.is_guest:
            raise CannotHaveRole
        if keeps_an_admin and role is not Role.ADMIN and admins == {user.id}:
            raise CannotLose
        user.role = role and role.value
        if now.role == user.role:
            return False
        user.save(only=[User.role])
        Session.forget_proofs(user)
        AccountMail.tell(now, "role_changed", role=user.role)
    return True
