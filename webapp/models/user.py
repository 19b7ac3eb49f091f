"""User: an account."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from tasks.engine.models import owned_by
from webapp.db import compiled, database, demand_transaction, locking, locks_rows, read_model
from webapp.db.resilience import writing_if_free
from webapp.lib.normalization import compatible
from webapp.lib.times import present_second
from webapp.models.former_name import FormerName
from webapp.models.passwords import hash_of_no_password, hash_password, is_outdated, is_password
from webapp.models.session import SEEN_EVERY, Session, hash_of_key, is_alive
from webapp.models.user_changes import UserChanges, total_changes
from webapp.models.user_channels import UserChannels
from webapp.models.user_passwords import UserPasswords, new_session_key
from webapp.models.user_row import UserRow
from webapp.models.usernames import UsernameTaken, guest_name, is_reserved, skeleton, username_key

GUEST_NAMES = 20  # random names to try

TAKEN = "That username is taken."
TOO_SIMILAR = "That username is too similar to someone else’s."


@owned_by
class User(UserChannels, UserChanges, UserPasswords, UserRow):
    """A person's account. A guest is an account whose password hash is empty; nobody can sign in to it."""

    session: Session | None = None  # by which they are signed in, where the row was read by its key

    @classmethod
    def register(cls, username: str, password: str = "", also: "Callable[[User], object] | None" = None) -> "User":
        """Create an account; without a password it is a guest's.

        `username` must be one that `username_key` knows. `also` is called with the account in the same transaction,
        for what is to be there with it or not at all. Raises UsernameTaken, also when two requests race for a name.
        Hashing costs 0.25 s by design, unless the name is refused. Raises HashingBusy.
        """
        key = username_key(username)
        user = cls(username=compatible(username).strip(), username_key=key, session_key=new_session_key())
        user.skeleton = skeleton(key)
        if password:
            cls.demand_free(key)
            user.password_hash = hash_password(password)
        try:
            with database.atomic():
                cls.demand_free(key)
                user.save(force_insert=True)
                if also:
                    also(user)
        except IntegrityError as error:
            raise UsernameTaken(TAKEN) from error
        return user

    @classmethod
    def demand_free(cls, key: str, unless_of: int = 0) -> None:
        """Raise UsernameTaken if the name of this key is reserved, taken, or too similar to one that is.

        Former names are taken for as long as they lead on. What the account `unless_of` has or had stands in nobody's
        way. At most one query, so that a name that is being given up meanwhile is found in one table or in the other.
        """
        if is_reserved(key):
            raise UsernameTaken("That username is reserved.")
        named = cls.select(cls.username_key).where(cls.skeleton == skeleton(key), cls.id != unless_of)
        former = FormerName.select(FormerName.key).where(FormerName.skeleton == skeleton(key), FormerName.leads_on())
        alike = {name for (name,) in named.union_all(former.where(FormerName.user != unless_of)).tuples()}
        if alike:
            raise UsernameTaken(TAKEN if key in alike else TOO_SIMILAR)

    @classmethod
    def register_guest(cls) -> "User":
        """Create an account with a random name that is free.

        Raises UsernameTaken after GUEST_NAMES that are not: with millions of names, something else is wrong.
        """
        for turn in range(GUEST_NAMES):
            try:
                return cls.register(guest_name())
            except UsernameTaken:
                if turn == GUEST_NAMES - 1:
                    raise
        raise AssertionError("a range has a last turn")

    @classmethod
    def by_username(cls, username: str) -> "User | None":
        """The account with that name, however it is typed, or None. One query; none if it cannot be a name."""
        key = username_key(username)
        return cls.get_or_none(cls.username_key == key) if key else None

    @classmethod
    def by_any_name(cls, username: str) -> "User | None":
        """The account with that name, or else the one that had it, while the name leads on. One query, or three."""
        key = username_key(username)
        user = cls.by_username(username)
        former = FormerName.owner_of(key) if key and not user else None
        return cls.get_or_none(cls.id == former) if former else user

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
        user = cls.get_or_none(cls.session_key == key)
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
            people = cls.select(cls.id).where(cls.id.in_(user_ids)).order_by(cls.id)
            list(locking(people, "NO KEY UPDATE"))  # others may refer to them meanwhile

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


@compiled
def _by_session_key() -> Any:
    theirs = User.select(User, Session, total_changes(User.id)).join(Session, on=Session.user == User.id)
    return theirs.where(is_alive(), Session.account_key == User.session_key)


User.add_index(fn.LOWER(User.email), where=User.email_confirmed_at.is_null(False), name="users_confirmed_email")
