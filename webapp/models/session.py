"""Session: a browser that is signed in to an account.

The browser has the session's key in its signed cookie, and the row only a hash of it, so who reads the table cannot
sign in. A session is over `IDLE` after its last visit and `LONGEST` after it began, whichever comes first; a guest,
who cannot sign in again, keeps theirs for as long as the account is there. Polls are no visits.
"""

import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, Param, database
from webapp.lib.times import utcnow
from webapp.models.user_row import UserRow

IDLE = timedelta(days=30)
LONGEST = timedelta(days=90)
FOREVER = datetime(9999, 12, 31)
KEPT_AFTER_ITS_END = timedelta(days=90)  # so that a browser that comes back is known
OLD_COOKIES_LAST = timedelta(days=365)  # those of the release before
SEEN_EVERY = timedelta(minutes=1)


class Session(BaseModel):
    """A row of `sessions`."""

    id = AutoField()
    user = ForeignKeyField(UserRow, on_delete="CASCADE", index=False, backref="+")
    user_id: int
    key_hash = CharField(max_length=64, unique=True, help_text="SHA-256 of the key that the cookie has, in hexadecimal")
    account_key = CharField(max_length=43, help_text="the account's `session_key` then: a new one ends all sessions")
    created_at = DateTimeField(default=utcnow)
    authenticated_at = DateTimeField(null=True, help_text="when they last proved who they are; null if they need not")
    seen_at = DateTimeField(default=utcnow, help_text="to the minute")
    ends_at = DateTimeField(index=True, help_text="when it is over, unless there is a visit before")
    browser = CharField(max_length=100, default="", help_text="in words")
    network = CharField(max_length=50, default="", help_text="a part of the address, as nobody needs all of it")

    class Meta:
        table_name = "sessions"
        indexes = ((("user", "ends_at"), False),)

    @classmethod
    def begin(
        cls, user: UserRow, key: str, *, browser: str = "", network: str = "", is_proved: bool = True
    ) -> "Session":
        """Sign a browser in to the account, by a key that only its cookie has; returns the session.

        The same one if it is begun twice by one key. `is_proved` says whether they have just proved who they are.
        """
        now = utcnow()
        fields = {"key_hash": hash_of_key(key), "user": user.id, "account_key": user.session_key}
        fields |= {"created_at": now, "seen_at": now, "ends_at": _end(user, now, now)}
        fields |= {"authenticated_at": now if is_proved and not user.is_guest else None}
        fields |= {"browser": browser[:100], "network": network}
        cls.insert(fields).on_conflict_ignore().execute()
        return cls.get(cls.key_hash == hash_of_key(key))

    @classmethod
    def of(cls, user: UserRow, most: int) -> list["Session"]:
        """Those of an account that are not over, the last one seen first; at most so many. One query, by index.

        Of more, those that go on for longest, which are those seen last but for what is near its LONGEST.
        """
        alive = (cls.user == user.id) & (cls.account_key == user.session_key) & (cls.ends_at > utcnow())
        found = cls.select().where(alive).order_by(cls.ends_at.desc(), cls.id.desc()).limit(most)
        return sorted(found, key=lambda session: (session.seen_at, session.id), reverse=True)

    @classmethod
    def find(cls, user: UserRow, session_id: int) -> "Session | None":
        """One of an account's, over or not, as long as it is kept. One query."""
        return cls.get_or_none(cls.user == user.id, cls.id == session_id, cls.account_key != "")

    @classmethod
    def began_before(cls, user: UserRow) -> bool:
        """Whether anybody has been signed in to the account yet. At most one query, by index."""
        was_here = user.seen_at - user.created_at >= SEEN_EVERY
        return was_here or cls.select().where(cls.user == user.id).exists()

    @classmethod
    def end_all(cls, user: UserRow, *, but: "Session | None" = None) -> int:
        """End all sessions of an account, or all but one; returns how many. The browsers find out at their next
        request, polls included. So do all that have a cookie of the release before."""
        with database.atomic():
            cls._refuse(user.id, user.session_key)
            return cls.end_rows(user, but=but)

    @classmethod
    def end_rows(cls, user: UserRow, *, but: "Session | None" = None) -> int:
        """The same, but for cookies of the release before: where the account has just got another key, those are of no
        use anyhow, and who then signs in at an old process stays signed in."""
        theirs = (cls.user == user.id) & (cls.account_key != "") & (cls.ends_at > utcnow())
        if but:
            theirs &= cls.id != but.id
        return int(cls.update(ends_at=_ended()).where(theirs).execute())

    def end(self) -> bool:
        """End this session, for every copy of its cookie; returns whether it was not over yet."""
        alive = (Session.id == self.id) & (Session.ends_at > utcnow())
        with database.atomic():
            self._refuse(self.user_id, self.account_key)
            return bool(Session.update(ends_at=_ended()).where(alive).execute())

    @classmethod
    def forget_proofs(cls, user: UserRow) -> None:
        """Have who is signed in to an account prove once more who they are, before what asks for that. One write."""
        cls.update(authenticated_at=None).where(cls.user == user.id, cls.ends_at > utcnow()).execute()

    @classmethod
    def has_refused(cls, account_key: str) -> bool:
        """Whether cookies of the release before, which have no session, are of no use for this account any more."""
        return cls.select().where(cls.key_hash == hash_of_key(account_key)).exists()

    @classmethod
    def _refuse(cls, user_id: int, account_key: str) -> None:
        """Refuse cookies of the release before: one may be a copy of that whose session has just ended.

        By a row of nobody's session, which stays for as long as such a cookie may be shown. Before the sessions are
        written to, as it locks the account: a new password locks that, too, and then its sessions.
        """
        kept_until = utcnow() + OLD_COOKIES_LAST - KEPT_AFTER_ITS_END
        row = cls.insert(user=user_id, key_hash=hash_of_key(account_key), account_key="", ends_at=kept_until)
        row.on_conflict_ignore().execute()

    def prove(self, key: str) -> bool:
        """They have just proved who they are: from now on the session has this key, and copies of its cookie of before
        are worth nothing. Whether it was still there. One write."""
        now = utcnow()
        alive = (Session.id == self.id) & (Session.key_hash == self.key_hash) & (Session.ends_at > now)
        return bool(Session.update(key_hash=hash_of_key(key), authenticated_at=now).where(alive).execute())

    def seen(self, user: UserRow, now: datetime) -> None:
        """Record a visit, by which the session goes on, unless it was ended since it was read. One write."""
        ends_at = _end(user, self.created_at, now)
        # Not `ends_at > now`: one that was ended a moment after the visit began ends later than that.
        as_read = (Session.id == self.id) & (Session.ends_at == self.ends_at)
        Session.update(seen_at=now, ends_at=ends_at).where(as_read).execute()

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that ended long ago; returns how many that were."""
        long_ago = utcnow() - KEPT_AFTER_ITS_END
        old = cls.select(cls.id).where(cls.ends_at < long_ago).order_by(cls.ends_at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


also_purge(Session, Session.purge)


def new_key() -> str:
    """An unguessable key."""
    return secrets.token_urlsafe(32)


@lru_cache(8192)
def hash_of_key(key: str) -> str:
    """What is stored of a key. Keys are random, so a fast hash without salt tells nothing."""
    return sha256(key.encode()).hexdigest()


def _ended() -> datetime:
    """When a session is over that ends now: by `present_second`, too, which has no fraction."""
    return utcnow().replace(microsecond=0)


def _end(user: UserRow, begun: datetime, seen: datetime) -> datetime:
    return FOREVER if user.is_guest else min(seen + IDLE, begun + LONGEST)


def is_alive() -> Any:
    """For a query of sessions: that it is the one of the Param `key_hash`, and not over by `now`, a present second."""
    return (Session.key_hash == Param("key_hash")) & (Session.ends_at > Param("now", str))
