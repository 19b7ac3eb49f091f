"""User: an account, its password, and the counter that tells its pages when to look again."""

import secrets
from datetime import datetime, timedelta
from functools import cache

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    Database,
    DateTimeField,
    IntegerField,
    IntegrityError,
    JSONField,
)

from webapp.db import BaseModel, before_commit, database, demand_transaction, locking, locks_rows
from webapp.db.resilience import writing_if_free
from webapp.lib.normalization import compatible
from webapp.lib.times import utcnow
from webapp.models.notification_preferences import CHANNELS, Channel, NoticeKind, channel_of
from webapp.models.passwords import hash_of_no_password, hash_password, is_password
from webapp.models.usernames import UsernameTaken, guest_name, is_reserved, skeleton, username_key

SEEN_EVERY = timedelta(minutes=1)
GUEST_NAMES = 20  # to try
# With every move and every progress of every task: building it anew each time would cost more than running it.
COUNT_CHANGE = "UPDATE users SET changes = changes + 1 WHERE id = {0}"
LISTENING = "SELECT id, email, hearing, mail_after FROM users WHERE id = {0}"


TAKEN = "That username is taken."
TOO_SIMILAR = "That username is too similar to someone else’s."


class User(BaseModel):
    """A person's account. A guest is an account whose password hash is empty; nobody can sign in to it."""

    id = AutoField()
    username = CharField(max_length=30, unique=True)
    username_key = CharField(max_length=30, unique=True, help_text="the user name in lower case: Ann is ann")
    skeleton = CharField(max_length=30, null=True, index=True, help_text="the key without separators: ann_ is like ann")
    email = CharField(max_length=254, default="", help_text="empty when they gave none")
    password_hash = CharField(max_length=255, default="")
    session_key = CharField(max_length=43, unique=True, help_text="what a session carries; new with each password")
    about = CharField(max_length=500, default="")
    time_zone = CharField(max_length=64, default="UTC")
    created_at = DateTimeField(default=utcnow)
    seen_at = DateTimeField(default=utcnow)
    mail_after = IntegerField(null=True, help_text="as the release before has it: see `way_of`; null once they choose")
    hearing = JSONField(null=True, help_text="for each kind of notice, which of WAYS they hear of it")
    changes = BigIntegerField(default=0, help_text="counts up with every notification written for this user")

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the session stores. It changes with the password, which ends every session everywhere."""
        return self.session_key

    @classmethod
    def register(cls, username: str, password: str = "", email: str = "") -> "User":
        """Create an account; without a password it is a guest's.

        `username` must be one that `username_key` knows. Raises UsernameTaken, also when two requests race for a name.
        Hashing costs some 50 ms by design.
        """
        key = username_key(username)
        user = cls(username=compatible(username).strip(), username_key=key, email=email, session_key=new_session_key())
        user.skeleton = skeleton(key)
        if password:
            user.password_hash = hash_password(password)
        try:
            with database.atomic():
                cls.demand_free(key)
                user.save(force_insert=True)
        except IntegrityError as error:
            raise UsernameTaken(TAKEN) from error
        return user

    @classmethod
    def demand_free(cls, key: str) -> None:
        """Raise UsernameTaken where nobody can get the name of this key, as of now. At most one query."""
        if is_reserved(key):
            raise UsernameTaken("That username is reserved.")
        alike = cls.select(cls.username_key).where(cls.skeleton == skeleton(key)).first()
        if alike:
            raise UsernameTaken(TAKEN if alike.username_key == key else TOO_SIMILAR)

    @classmethod
    def register_guest(cls) -> "User":
        """Create an account with a random name that is free.

        Raises UsernameTaken after GUEST_NAMES that are not: with millions of names, that has another reason.
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
        """The account with that name, however it is typed, or None. One query; none for what cannot be a name."""
        key = username_key(username)
        return cls.get_or_none(cls.username_key == key) if key else None

    @classmethod
    def by_session_key(cls, key: str) -> "User | None":
        """The account that a session belongs to, or None once its password has changed. One query."""
        return cls.get_or_none(cls.session_key == key)

    @classmethod
    def changes_of(cls, key: str) -> tuple[int, int] | None:
        """The id and the `changes` of the account that a session belongs to, or None. One query, spelled beforehand.

        For polls that mostly find nothing new: building a query and a whole row costs ten times what this does.
        """
        return database.execute_sql(_changes_sql(database.obj), (key,)).fetchone()

    @classmethod
    def count_change(cls, user_id: int) -> None:
        """Let the user's open pages know, at their next poll, that something they show has changed.

        One write, the last before the open transaction commits, however often it is called in that: everything that
        happens to a person writes this row, so nobody has it for longer than the commit takes.
        """
        before_commit(_count_changes, user_id)

    @classmethod
    def hold(cls, *user_ids: int) -> None:
        """Be alone with these people until the open transaction ends: whoever else holds one of them waits.

        What only those write who hold its person is then safe to be read and written. In the order of locks this
        comes after tasks: see `webapp/models/__init__.py`. One query on PostgreSQL; on SQLite whoever writes is
        alone with everybody. Raises RuntimeError where no transaction is open.
        """
        demand_transaction()
        if locks_rows():
            people = cls.select(cls.id).where(cls.id.in_(user_ids)).order_by(cls.id)
            list(locking(people, "NO KEY UPDATE"))  # others may refer to them meanwhile

    @classmethod
    def listening(cls, user_id: int) -> "User":
        """The account with nothing but what says how they hear of what happens, and where mail reaches them.

        One query, spelled beforehand: it comes with every end of every task.
        """
        found = database.execute_sql(LISTENING.format(database.param), (user_id,)).fetchone()
        return cls(id=found[0], email=found[1], hearing=cls.hearing.python_value(found[2]), mail_after=found[3])

    @classmethod
    def authenticate(cls, username: str, password: str) -> "User | None":
        """The account with that name and password, or None. It takes as long for a name that does not exist."""
        user = cls.by_username(username)
        if user is None or user.is_guest:
            if username_key(username):  # what cannot be a name tells nothing by being refused at once
                is_password(hash_of_no_password(), password)
            return None
        return user if user.has_password(password) else None

    @property
    def is_guest(self) -> bool:
        """Whether nobody has set a password: the account lives as long as this browser's session."""
        return not self.password_hash

    def channel_for(self, kind: str) -> str:
        """The name in WAYS of how this person hears of a kind of notice."""
        return channel_of(kind, self.hearing, self.mail_after)

    def hears(self, kind: str) -> Channel:
        """How this person wants to hear of a kind of notice."""
        return CHANNELS[self.channel_for(kind)]

    def wants_email_about(self, kind: str, worked: float = 0.0) -> bool:
        """Whether a notice of that kind, about what took so many seconds of work, is to be mailed to them, and can."""
        after = self.hears(kind).mail_after
        return bool(self.email) and after is not None and worked >= after * 60

    @property
    def wants_mail(self) -> bool:
        """Whether they chose to be mailed about anything, wherever that would go to."""
        return any(self.hears(kind).mail_after is not None for kind in NoticeKind)

    def hear(self, ways: dict[str, str]) -> None:
        """Save how they hear of each kind, by names in WAYS."""
        self.hearing, self.mail_after = ways, None
        self.save(only=[User.hearing, User.mail_after])

    def has_password(self, password: str) -> bool:
        """Whether that is the account's password, however its letters are encoded; never true for a guest's."""
        return bool(self.password_hash) and is_password(self.password_hash, password)

    def set_password(self, password: str) -> None:
        """Store a new password and end every session of this account, this one too until it signs in again."""
        self.password_hash = hash_password(password)
        self.session_key = new_session_key()
        self.save(only=[User.password_hash, User.session_key])

    def seen(self, now: datetime) -> None:
        """Remember that this person was here: at most one write a minute, and none where it would have to wait."""
        if now - self.seen_at < SEEN_EVERY:
            return
        self.seen_at = now
        with writing_if_free():
            free = locking(User.select(User.id).where(User.id == self.id), skip_locked=True)
            User.update(seen_at=now).where(User.id.in_(free)).execute()


def new_session_key() -> str:
    """An unguessable key for one account's sessions."""
    return secrets.token_urlsafe(32)


def _count_changes(user_ids: list[int]) -> None:
    for user_id in user_ids:
        database.execute_sql(COUNT_CHANGE.format(database.param), (user_id,))


@cache
def _changes_sql(_: Database) -> str:
    """The query of `changes_of` as the database spells it."""
    sql, _params = User.select(User.id, User.changes).where(User.session_key == "").sql()
    return sql
