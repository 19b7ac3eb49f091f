"""EmailChange: an address that somebody wants, until it is confirmed, and as long as that can be undone."""

import secrets
from datetime import timedelta
from enum import StrEnum

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.account_mail import AccountMail
from webapp.models.session import Session
from webapp.models.user import User

LINK_LASTS = timedelta(days=3)
UNDO_LASTS = timedelta(days=7)
KEPT = timedelta(days=30)  # once it is settled: its links can still say what became of them


class ChangeState(StrEnum):
    """What has become of an address that somebody wanted."""

    PENDING = "pending"
    EXPIRED = "expired"  # its link; another can be sent
    REPLACED = "replaced"  # by another one, or it was canceled
    CONFIRMED = "confirmed"
    UNDONE = "undone"


class EmailChange(BaseModel):
    """One address that was asked for; an empty one was a removal, which needs no confirmation.

    An account has at most one that is pending, and `users.email` is never an address of a pending one, but where that
    is of before. What becomes of one is written under `User.hold`, so two that come at once come one after the other.
    Any number of accounts may have one address: to refuse the second would tell who has the first.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    user_id: int
    nonce = CharField(max_length=22, unique=True, help_text="what its links name, signed: it alone opens nothing")
    old_address = CharField(max_length=254, default="", help_text="what it replaces, which may undo it")
    address = CharField(max_length=254)
    requested_at = DateTimeField(default=utcnow)
    sent_at = DateTimeField(null=True, help_text="when its latest link was asked for; null if none was")
    settled_at = DateTimeField(null=True, index=True, help_text="since when it is pending no more")
    confirmed_at = DateTimeField(null=True)
    undone_at = DateTimeField(null=True)

    class Meta:
        table_name = "email_changes"

    @property
    def state(self) -> ChangeState:
        """What has become of it."""
        if self.undone_at:
            return ChangeState.UNDONE
        if self.confirmed_at:
            return ChangeState.CONFIRMED
        if self.settled_at:
            return ChangeState.REPLACED
        fresh = self.sent_at and self.sent_at > utcnow() - LINK_LASTS
        return ChangeState.PENDING if fresh else ChangeState.EXPIRED

    @property
    def can_be_undone(self) -> bool:
        """Whether the address that it replaced may still have it undone."""
        is_young = self.confirmed_at is not None and self.confirmed_at > utcnow() - UNDO_LASTS
        return bool(is_young and self.old_address and not self.undone_at)

    @classmethod
    def pending_of(cls, user: User) -> "EmailChange | None":
        """The one that somebody has not confirmed yet, whether its link works or not. One query."""
        return cls.get_or_none(cls.user == user.id, cls.settled_at.is_null())

    @classmethod
    def request(cls, user: User, address: str, *, send: bool) -> "EmailChange":
        """Record the address that somebody wants, in place of any other that is pending; returns it.

        With `send`, a link is mailed to it: whoever asks has counted that (`webapp.mail.link_limits`).
        """
        with database.atomic():
            cls.cancel(user)
            change = cls.create(user=user.id, address=address, old_address=user.email, nonce=secrets.token_urlsafe(16))
            if send:
                change.send_link()
        return change

    def send_link(self) -> None:
        """Mail a link to the address, unless it is pending no more. The earlier ones work as long as that."""
        with database.atomic():
            self.sent_at = utcnow()
            pending = EmailChange.id == self.id, EmailChange.settled_at.is_null()
            if EmailChange.update(sent_at=self.sent_at).where(*pending).execute():
                AccountMail.put("confirm_address", self.address, self.user, change=self.id)

    @classmethod
    def cancel(cls, user: User) -> None:
        """Forget the address that somebody wanted, if there is one."""
        with database.atomic():
            User.hold(user.id)
            cls.update(settled_at=utcnow()).where(cls.user == user.id, cls.settled_at.is_null()).execute()

    @classmethod
    def remove(cls, user: User) -> None:
        """Take somebody's address away at once, and tell it so."""
        with database.atomic():
            cls.cancel(user)
            removal = cls(user=user.id, address="", nonce=secrets.token_urlsafe(16), settled_at=utcnow())
            removal.confirmed_at = removal.settled_at
            removal._take_effect()

    def confirm(self) -> bool:
        """Make the address the account's, and tell the one before. False, and nothing, if it is not to be confirmed."""
        with database.atomic():
            User.hold(self.user_id)
            if User.get_by_id(self.user_id).is_deleted:
                return False
            now = utcnow()
            fits = EmailChange.settled_at.is_null(), EmailChange.sent_at > now - LINK_LASTS
            if (
                not EmailChange.update(confirmed_at=now, settled_at=now)
                .where(EmailChange.id == self.id, *fits)
                .execute()
            ):
                return False
            self.confirmed_at = self.settled_at = now
            self._take_effect()
        return True

    def undo(self) -> bool:
        """Give the account back the address that this replaced, whatever it has by now. False if it is too late.

        All sessions are ended, as the change may have been somebody else's; but not those of a guest, who could not
        sign in again, and to whose account nobody else can. What came after this can be undone no more.
        """
        with database.atomic():
            User.hold(self.user_id)
            now, known = utcnow(), EmailChange.get_by_id(self.id)
            if not known.can_be_undone or User.get_by_id(self.user_id).is_deleted:
                return False
            since = EmailChange.user == self.user_id, EmailChange.confirmed_at >= known.confirmed_at
            EmailChange.update(undone_at=now).where(*since, EmailChange.undone_at.is_null()).execute()
            user = User.get_by_id(self.user_id)
            EmailChange.cancel(user)
            _use(user, self.old_address)
            AccountMail.put("address_restored", self.old_address, user)
            if not user.is_guest:
                Session.end_all(user)
        return True

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that were settled long ago; returns how many that were."""
        old = cls.select(cls.id).where(cls.settled_at < utcnow() - KEPT).order_by(cls.settled_at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())

    def _take_effect(self) -> None:
        """Under `User.hold`: the account's address is this one from now on."""
        user = User.get_by_id(self.user_id)
        self.old_address = user.email
        if not self.address and not self.old_address:
            return
        self.save()
        _use(user, self.address)
        if self.old_address not in {"", self.address}:
            AccountMail.put("address_changed", self.old_address, user, change=self.id)


also_purge(EmailChange, EmailChange.purge)


def _use(user: User, address: str) -> None:
    fields = {User.email: address, User.email_confirmed_at: utcnow() if address else None}
    User.update(fields | {User.email_grace_ends_at: None}).where(User.id == user.id).execute()
