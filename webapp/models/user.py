"""User: an account."""

from datetime import datetime
from functools import cache
from typing import Any

from peewee import fn

from tasks.engine.models import owned_by
from webapp.db import (
    CompiledQuery,
    compiled,
    demand_transaction,
    locking,
    locks_rows,
    numbered,
    places,
    read_model,
)
from webapp.db.resilience import writing_if_free
from webapp.lib.times import present_second
from webapp.models.former_name import FormerName
from webapp.models.passwords import hash_of_no_password, is_outdated, is_password
from webapp.models.session import SEEN_EVERY, Session, hash_of_key, is_alive
from webapp.models.user_changes import UserChanges, total_changes
from webapp.models.user_channels import UserChannels
from webapp.models.user_passwords import UserPasswords
from webapp.models.user_registration import UserRegistration
from webapp.models.user_row import UserRow
from webapp.models.usernames import username_key


@owned_by
class User(UserRegistration, UserChannels, UserChanges, UserPasswords, UserRow):
    """A person's account. A guest is an account whose password hash is empty; nobody can sign in to it."""

    session: Session | None = None  # by which they are signed in, where the row was read by its key

    @classmethod
    def by_username(cls, username: str) -> "User | None":
        """The account with that name, however it is typed; None if it is deleted. One query; none for no name."""
        key = username_key(username)
        return cls.get_or_none(cls.username_key == key, cls.deletion_due_at.is_null()) if key else None

    @classmethod
    def by_any_name(cls, username: str) -> "User | None":
        """The account with that name, or else the one that had it, while the name leads on. One query, or three."""
        key = username_key(username)
        user = cls.by_username(username)
        former = FormerName.owner_of(key) if key and not user else None
        return cls.get_or_none(cls.id == former, cls.deletion_due_at.is_null()) if former else user

    @classmethod
    def by_session_key(cls, key: str) -> "User | None":
        """The account that is signed in by this key, with its `session` and `changes`; None once that is over.

        One query, compiled.
        """
        row = _by_session_key.first(key_hash=hash_of_key(key), now=present_second())
        if row is None:
            return None
        columns = len(cls._meta.sorted_fields)
        user = read_model(cls, row[:columns])
        user.session, user.changes = read_model(Session, row[columns:-1]), row[-1]
        return user

    @classmethod
    def by_account_key(cls, key: str) -> "User | None":
        """The account that a cookie of the release before is of, which has no session; None once one has been ended.

        At most two queries.
        """
        user = cls.get_or_none(cls.session_key == key, cls.deletion_due_at.is_null(), cls.suspended_at.is_null())
        return user if user and not Session.has_refused(key) else None

    @classmethod
    def hold(cls, *user_ids: int) -> None:
        """Lock these users' rows until the open transaction ends; another `hold` of one of them waits for that.

        It guards rows that are only written under it. In the order of locks it comes after tasks: see
        `webapp/models/__init__.py`. One query on PostgreSQL; on SQLite, a transaction that writes is alone anyway.
        Raises RuntimeError if no transaction is open.
        """
        demand_transaction()
        if locks_rows():
            _hold(len(user_ids), "NO KEY UPDATE").execute(**numbered("id", user_ids)).fetchall()

    @classmethod
    def hold_to_write_keys(cls, *user_ids: int) -> None:
        """The same for who then writes a name or the session key of any of these users, which are keys.

        PostgreSQL locks a row more strongly for that, also against whoever has just inserted a row that refers to it.
        With `hold`, such a one could come to wait for this transaction, which waits for that one.
        """
        demand_transaction()
        if locks_rows():
            _hold(len(user_ids), "UPDATE").execute(**numbered("id", user_ids)).fetchall()

    @classmethod
    def authenticate(cls, username: str, password: str) -> "User | None":
        """The account with that name and password, or None. It takes as long if no account has the name.

        A former name is as good as the present one, for as long as it leads on.

        The password that is right is the chance to hash it again, if it was hashed at lower costs. Raises HashingBusy.
        """
        user = cls.by_any_name(username)
        if user is None or user.is_guest:
            if username_key(username):  # an impossible name reveals nothing by failing fast
                is_password(hash_of_no_password(), password)
            return None
        if not user.has_password(password):
            return None
        if is_outdated(user.password_hash):
            user.hash_again(password)
        return user

    def seen(self, now: datetime) -> None:
        """Record that this person is here, by their `session`: each at most once a minute, and never if it would have
        to wait."""
        session = self.session if self.session and now - self.session.seen_at >= SEEN_EVERY else None
        if now - self.seen_at < SEEN_EVERY and not session:
            return
        self.seen_at = now
        with writing_if_free():
            free = locking(User.select(User.id).where(User.id == self.id), skip_locked=True)
            User.update(seen_at=now).where(User.id.in_(free)).execute()
            if session:
                session.seen(self, now)


@cache
def _hold(number: int, strength: str) -> CompiledQuery:
    """Locks so many people's rows, by their ids. Others may refer to them meanwhile, unless it is for UPDATE."""

    @compiled
    def hold() -> Any:
        people: Any = User.select(User.id).where(User.id.in_(places("id", number, User.id))).order_by(User.id)
        return locking(people, strength)

    return hold


@compiled
def _by_session_key() -> Any:
    theirs = User.select(User, Session, total_changes(User.id)).join(Session, on=Session.user == User.id)
    is_in_use = User.deletion_due_at.is_null() & User.suspended_at.is_null()
    return theirs.where(is_alive(), Session.account_key == User.session_key, is_in_use)


User.add_index(User.id, where=User.suspended_at.is_null(False), name="users_suspended")
User.add_index(fn.LOWER(User.email), where=User.email_confirmed_at.is_null(False), name="users_confirmed_email")
