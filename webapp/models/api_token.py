"""ApiToken: what a program shows to act for somebody. The row has only a hash of it, so who reads the table cannot."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, ModelSelect

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, Param, compiled, database, locking, read_model
from webapp.db.resilience import writing_if_free
from webapp.lib.quota_variables import Quota
from webapp.lib.times import present_second, utcnow
from webapp.lib.token_text import is_text, new_text
from webapp.models.account_mail import AccountMail
from webapp.models.quotas import demand
from webapp.models.scopes import Scope, as_stored, from_stored
from webapp.models.session import hash_of_key
from webapp.models.user import User
from webapp.models.user_changes import total_changes

NAME_LENGTH: Final = 60
LONGEST: Final = timedelta(days=366)
KEPT_AFTER_ITS_END: Final = timedelta(days=90)
USED_EVERY: Final = timedelta(minutes=5)
REMIND_BEFORE: Final = timedelta(days=7)


class GuestsHaveNone(Exception):
    """A token outlives the browser, which is all that a guest has."""


class ApiToken(BaseModel):
    """A row of `api_tokens`. It is live until `expires_at`, which is also when one that is revoked ended.

    What it may do is decided anew by each use: a role that is taken away is no more of use to it.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False, backref="+")
    user_id: int
    name = CharField(max_length=NAME_LENGTH, help_text="by its owner, who alone sees it")
    token_hash = CharField(max_length=64, unique=True, help_text="SHA-256 of its text, in hexadecimal")
    last_four = CharField(max_length=4, help_text="the end of its text, by which its owner knows it")
    scope = CharField(max_length=255, help_text="as OAuth spells scopes: separated by spaces")
    created_at = DateTimeField(default=utcnow)
    expires_at = DateTimeField(index=True, help_text="from when on it is of no use, since it was revoked or by itself")
    last_used_at = DateTimeField(null=True, help_text="to 5 minutes")
    last_network = CharField(max_length=50, default="", help_text="a part of the address, as nobody needs all of it")
    revoked_at = DateTimeField(null=True)
    reminded_at = DateTimeField(null=True, help_text="when its owner was told that it expires soon")

    class Meta:
        table_name = "api_tokens"
        indexes = ((("user", "expires_at"), False),)

    @classmethod
    def issue(cls, user: User, name: str, scopes: Iterable[Scope], expires_at: datetime) -> "tuple[ApiToken, str]":
        """A new token of somebody's, and its text, which nobody can tell a second time. They are told by mail.

        Raises OverQuota beyond Quota.TOKENS live ones, GuestsHaveNone, and ValueError for a name, scopes or an end that
        no form lets through.
        """
        now = utcnow()
        if user.is_guest:
            raise GuestsHaveNone
        if not 0 < len(name) <= NAME_LENGTH or not (scope := as_stored(scopes)) or not now < expires_at < now + LONGEST:
            raise ValueError("a token has a name, a scope, and an end within a year")
        text = new_text()
        secret = {"token_hash": hash_of_key(text), "last_four": text[-4:]}
        # Who makes one for a few days need not be told so again.
        when = {"created_at": now, "reminded_at": now if expires_at - now <= REMIND_BEFORE else None}
        with database.atomic():
            User.hold(user.id)
            demand(Quota.TOKENS, cls.live_of(user).count() + 1, user)
            token = cls.create(user=user, name=name, scope=scope, expires_at=expires_at, **secret, **when)
            AccountMail.tell(user, "token_made", token=token.id)
        return token, text

    @classmethod
    def by_text(cls, text: str) -> "ApiToken | None":
        """The live token of that text, with its `user`, who has `changes` and may be suspended; None for any other.
        One query, compiled, and none for what cannot be a token."""
        row = _by_hash.first(token_hash=hash_of_key(text), now=present_second()) if is_text(text) else None
        if row is None:
            return None
        columns = len(cls._meta.sorted_fields)
        token, user = read_model(cls, row[:columns]), read_model(User, row[columns:-1])
        user.changes = row[-1]
        token.user = user
        return token

    @classmethod
    def changes_of(cls, text: str) -> tuple[int, int, frozenset[Scope]] | None:
        """Of the live token of that text its owner's id and `changes`, and the scopes; None for any other, or a
        suspended owner's. For polls, which mostly find nothing new. One query, compiled, or none as above."""
        row = _changes_by_hash.first(token_hash=hash_of_key(text), now=present_second()) if is_text(text) else None
        return row and (row[0], row[1], from_stored(row[2]))

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[ApiToken]":
        """Those of an account that are kept, the ones that last longest first. By index."""
        return cls.select().where(cls.user == user.id).order_by(cls.expires_at.desc(), cls.id.desc())

    @classmethod
    def live_of(cls, user: User) -> "ModelSelect[ApiToken]":
        """Those of an account that are of use: as many as Quota.TOKENS at most. By index."""
        return cls.visible_to(user).where(cls.expires_at > utcnow())

    @classmethod
    def of(cls, user: User, most: int) -> "list[ApiToken]":
        """Those of an account, at most so many, the live ones first. One query, by index."""
        return list(cls.visible_to(user).limit(most))

    @classmethod
    def find(cls, user: User, token_id: int) -> "ApiToken | None":
        """One of an account's, live or not, as long as it is kept. One query."""
        return cls.get_or_none(cls.user == user.id, cls.id == token_id)

    @property
    def scopes(self) -> frozenset[Scope]:
        """What it may do, as far as its owner may."""
        return from_stored(self.scope)

    @property
    def is_live(self) -> bool:
        """Whether it is still of use."""
        return self.expires_at > utcnow()

    def used(self, network: str) -> None:
        """Record a use, at most once in USED_EVERY, and never if that would have to wait."""
        now = utcnow()
        if self.last_used_at and now - self.last_used_at < USED_EVERY:
            return
        self.last_used_at, self.last_network = now, network
        with writing_if_free():
            free = locking(ApiToken.select(ApiToken.id).where(ApiToken.id == self.id), skip_locked=True)
            use = {ApiToken.last_used_at: now, ApiToken.last_network: network}
            ApiToken.update(use).where(ApiToken.id.in_(free)).execute()

    def revoke(self) -> bool:
        """Let it be of no use from now on; whether it was of any. One write."""
        return bool(_end(ApiToken.id == self.id))

    @classmethod
    def revoke_by_text(cls, text: str) -> "ApiToken | None":
        """Revoke the live token of that text, as whoever has found it asks for; returns it, with its `user`, or None.

        Its owner is told by mail. Of several who ask at once, one gets it. No query for what cannot be a token.
        """
        token = cls.by_text(text)
        with database.atomic():
            if not (token and token.revoke()):
                return None
            AccountMail.tell(token.user, "token_found", token=token.id)
        return token

    @classmethod
    def revoke_all(cls, user: User) -> int:
        """Revoke all of an account's that are live; returns how many. One write, by index."""
        return _end(cls.user == user.id)

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that ended long ago; returns how many that were."""
        long_ago = utcnow() - KEPT_AFTER_ITS_END
        old = cls.select(cls.id).where(cls.expires_at < long_ago).order_by(cls.expires_at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


ApiToken.add_index(ApiToken.expires_at, where=ApiToken.reminded_at.is_null(), name="api_tokens_to_remind")
also_purge(ApiToken, ApiToken.purge)


def _end(which: Any) -> int:
    """End those that are live; to the second, as a use asks by `present_second`, too."""
    now = utcnow()
    ended = {ApiToken.expires_at: now.replace(microsecond=0), ApiToken.revoked_at: now}
    return int(ApiToken.update(ended).where(which, ApiToken.expires_at > now).execute())


def _live() -> Any:
    """For a query of tokens and their owners: that it is the one of the Param `token_hash`, and of use by `now`.

    A release before, which knows no tokens, deletes accounts, too.
    """
    is_it = (ApiToken.token_hash == Param("token_hash")) & (ApiToken.expires_at > Param("now", str))
    return is_it & User.deletion_due_at.is_null() & (User.password_hash != "")


@compiled
def _by_hash() -> Any:
    theirs = ApiToken.select(ApiToken, User, total_changes(User.id)).join(User, on=ApiToken.user == User.id)
    return theirs.where(_live())


@compiled
def _changes_by_hash() -> Any:
    owners = ApiToken.select(ApiToken.user, total_changes(ApiToken.user), ApiToken.scope)
    return owners.join(User, on=ApiToken.user == User.id).where(_live(), User.suspended_at.is_null())
