"""Suspension: an account that nobody may use until it is lifted. What it means, door by door:

- Nobody signs in to it: who proves that it is theirs reads why. Its sessions end; those of a guest, who could never
  sign in again, are refused, and work again once it is lifted.
- Its API tokens are refused, in words of their own, and work again afterwards.
- What it has running or waiting is paused, and what is scheduled is held, by `suspension_work`; that goes on
  afterwards. So mail to many that has begun stops with the recipient under way. No operator lets a task of it go on
  meanwhile, by itself or among many: see `steering`. The site's own tasks about it go on: it is told.
- Its posts and its profile are shown to nobody, and nobody can write to it. What others have of it stays theirs.
- A role that it has allows nothing, and tells it of nothing.
- A password may be set by the link in a mail, and an address be confirmed: neither signs in. Unsubscribing from its
  mails works, as for those of anybody. An operator may delete it, and so it may be kept, still suspended.
"""

from datetime import datetime
from typing import Any, Self

from peewee import SQL, AutoField, CharField, DateTimeField, ForeignKeyField

from tasks.engine.models.actor import LONGEST_REASON
from tasks.engine.models.task import Task
from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.account_mail import AccountMail
from webapp.models.last_admin import CannotLose, hold_admins
from webapp.models.permissions import Role
from webapp.models.session import Session
from webapp.models.user import User
from webapp.models.user_passwords import new_session_key

SUSPENDED_MAIL, REINSTATED_MAIL = "suspended", "reinstated"


class Suspension(BaseModel):
    """A row of `suspensions`: one for each account that is suspended, and, once that is lifted, until all that was held
    by it goes on."""

    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete="CASCADE", backref="+")
    user_id: int
    reason = CharField(max_length=LONGEST_REASON, help_text="as its owner reads it")
    suspended_at = DateTimeField(default=utcnow)
    lifted_at = DateTimeField(null=True)
    settled_at = DateTimeField(null=True, help_text="when all that it had under way was held and its posts were hidden")

    class Meta:
        table_name = "suspensions"

    @classmethod
    def begin(cls, user: User, reason: str) -> Self | None:
        """Suspend an account, and tell its owner why; None, and nothing done, if it is suspended already.

        In one transaction but for its tasks and posts: `suspension_work.carry_out` holds and hides these. Raises
        CannotLose for the last admin whose role counts. Some eight queries.
        """
        with database.atomic():
            admins = hold_admins(user.id, hold=User.hold_to_write_keys)
            account = User.get_by_id(user.id)
            if account.suspended_at or account.is_deleted:
                return None
            if account.role == Role.ADMIN and not admins - {user.id}:
                raise CannotLose
            now = utcnow()
            new = {"reason": reason, "suspended_at": now, "lifted_at": None, "settled_at": None}
            cls.insert(user=user.id, **new).on_conflict(conflict_target=[cls.user], update=new).execute()
            _close(account, now)
            AccountMail.tell(account, SUSPENDED_MAIL, reason=reason)
        return cls.get(cls.user == user.id)

    @classmethod
    def lift(cls, user: User) -> Self | None:
        """Let an account be used again, and tell its owner; None if it is not suspended.

        `suspension_work.carry_out` lets its tasks go on and shows its posts. Some five queries.
        """
        with database.atomic():
            User.hold(user.id)
            if not User.update(suspended_at=None).where(User.id == user.id, User.suspended_at.is_null(False)).execute():
                return None
            cls.update(lifted_at=utcnow(), settled_at=None).where(cls.user == user.id).execute()
            account = User.get_by_id(user.id)
            User.count_change(user.id)
            AccountMail.tell(account, REINSTATED_MAIL)
        return cls.get_or_none(cls.user == user.id)

    @classmethod
    def of(cls, user: User) -> Self | None:
        """That of an account which is suspended. One query; none for one that is not."""
        return cls.get_or_none(cls.user == user.id) if user.is_suspended else None


class HeldTask(BaseModel):
    """A task that was paused or held as its owner was suspended, and goes on with them; `run_at` is when one that is
    scheduled was to start."""

    id = AutoField()
    suspension = ForeignKeyField(Suspension, on_delete="CASCADE", backref="+", index=False)
    task = ForeignKeyField(Task, unique=True, on_delete="CASCADE", backref="+")
    run_at = DateTimeField(null=True)

    class Meta:
        table_name = "held_tasks"
        indexes = ((("suspension", "id"), False),)


Suspension.add_index(Suspension.id, where=SQL("settled_at IS NULL"), name="suspensions_going_on")


def _close(account: User, now: datetime) -> None:
    """Let nobody be in the account, half signed in, or in it by the release before. Open pages learn at their next poll
    that they are signed out."""
    changes: dict[Any, Any] = {User.suspended_at: now}
    if not account.is_guest:
        changes[User.session_key] = new_session_key()
    User.update(changes).where(User.id == account.id).execute()
    User.count_change(account.id)
    if not account.is_guest:
        Session.end_rows(account)
