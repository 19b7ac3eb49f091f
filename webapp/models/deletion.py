"""Deletion: an account that is to be deleted, until that is done.

At once, in one transaction, it loses its sessions, its tokens, its role and its name: name, address and password are
moved from its row into this one. So nobody can sign in to it, find it or mail it, whatever release asks, and yet nobody
else gets the name. `take_back` moves them back, until `RETURN_WITHIN` has passed; then
`webapp.models.deletion_batches` deletes all.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from peewee import SQL, AutoField, CharField, DateTimeField, ForeignKeyField, ModelSelect, fn

from webapp.db import BaseModel, database, locking
from webapp.lib.times import utcnow
from webapp.models.account_mail import AccountMail
from webapp.models.api_token import ApiToken
from webapp.models.email_change import EmailChange
from webapp.models.passwords import is_password
from webapp.models.session import FOREVER, Session
from webapp.models.user import User
from webapp.models.user_passwords import new_session_key
from webapp.models.usernames import deleted_name, skeleton, username_key

RETURN_WITHIN = timedelta(days=14)
REQUESTED_MAIL = "deletion_requested"
MOVED = ("username", "username_key", "email", "email_confirmed_at", "email_grace_ends_at", "password_hash")


class Deletion(BaseModel):
    """A row of `deletions`, with what is moved out of the account's row."""

    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete="CASCADE", backref="+")
    user_id: int
    nonce = CharField(max_length=22, unique=True, help_text="what the link to keep the account names, signed")
    username = CharField(max_length=30)
    username_key = CharField(max_length=30, unique=True)
    email = CharField(max_length=254, default="")
    email_confirmed_at = DateTimeField(null=True)
    email_grace_ends_at = DateTimeField(null=True)
    password_hash = CharField(max_length=255, default="")
    requested_at = DateTimeField(default=utcnow)
    due_at = DateTimeField(help_text="from when on it cannot be taken back")
    look_at = DateTimeField(index=True, help_text="when a worker goes on with it")
    stopped_at = DateTimeField(null=True, help_text="when its tasks had been canceled")
    begun_at = DateTimeField(null=True, help_text="when the first of it was deleted")
    hidden_at = DateTimeField(null=True, help_text="when its posts had been hidden, see `hiding`")
    returned_at = DateTimeField(
        null=True, help_text="when it was taken back; it is gone once the posts are shown again"
    )

    class Meta:
        table_name = "deletions"

    @classmethod
    def begin(cls, user: User, *, at_once: bool = False) -> Self:
        """Take an account out of use, to be deleted after RETURN_WITHIN; `at_once`, and for a guest, as soon as can be.

        A second time changes nothing, but that one may be done at once which was to be done later. All in one
        transaction but for the tasks: `stopping.stop` cancels these. Its address is told by mail, and so are those that
        it had in the last days and could have again.
        """
        with database.atomic():
            User.hold_to_write_keys(user.id)
            now, account = utcnow(), User.get_by_id(user.id)
            due = now if at_once or account.is_guest else now + RETURN_WITHIN
            if account.is_deleted:
                begun: Self = cls.get(cls.user == user.id)
                if at_once:
                    begun.due_at = begun.look_at = now
                    begun.save(only=[cls.due_at, cls.look_at])
                    User.update(deletion_due_at=now).where(User.id == user.id).execute()
                return begun
            cls.delete().where(cls.user == user.id, cls.returned_at.is_null(False)).execute()
            deletion: Self = cls.create(**row_of(account, now, due))
            User.update(_nobody(account) | {User.deletion_due_at: due}).where(User.id == user.id).execute()
            Session.end_rows(account)
            ApiToken.revoke_all(account)
            deletion._tell(account)
        return deletion

    @classmethod
    def of_name(cls, username: str) -> Self | None:
        """That of the account which had this name, however it is typed, while it can be taken back. One query."""
        key = username_key(username)
        found: Self | None = cls._open().where(cls.username_key == key).first() if key else None
        return found

    @classmethod
    def of(cls, user: User) -> Self | None:
        """That of an account, while it can be taken back. One query."""
        found: Self | None = cls._open().where(cls.user == user.id).first()
        return found

    @classmethod
    def of_nonce(cls, nonce: str) -> Self | None:
        """The one of that nonce, while it can be taken back. One query."""
        found: Self | None = cls._open().where(cls.nonce == nonce).first()
        return found

    @classmethod
    def of_address(cls, spellings: list[str], most: int) -> list[Self]:
        """Those of the accounts that had an address, spelled in one of these ways, with a confirmation. By index."""
        theirs = SQL("email <> ''"), fn.LOWER(cls.email).in_(spellings), cls.email_confirmed_at.is_null(False)
        return list(cls._open().where(*theirs).order_by(cls.id).limit(most))

    def authenticate(self, password: str) -> User | None:
        """The account, if that is the password which it had. Costs a hash. Raises HashingBusy."""
        return self.user if self.password_hash and is_password(self.password_hash, password) else None

    def take_back(self) -> User | None:
        """Give the account all that was moved; returns it, or None, and nothing, if it is too late.

        Canceled tasks stay canceled, and its role stays taken away. Who was signed in has to sign in again. Posts that
        were hidden are shown again by `hiding.hide_or_show`: call it.
        """
        with database.atomic():
            User.hold_to_write_keys(self.user_id)
            cls = type(self)
            kept: Self | None = locking(cls._open().where(cls.id == self.id)).first()
            if kept is None:
                return None
            alias = {"username": "", "username_key": deleted_name(), "email": "", "password_hash": ""}
            over = dict.fromkeys(("returned_at", "stopped_at", "hidden_at"), utcnow())
            never = {"due_at": FOREVER, "look_at": FOREVER}
            cls.update(alias | over | never).where(cls.id == kept.id).execute()
            moved = {name: getattr(kept, name) for name in MOVED}
            User.update(moved | {"deletion_due_at": None}).where(User.id == kept.user_id).execute()
            return User.get_by_id(kept.user_id)

    def remind(self) -> None:
        """Mail its owner once more how to keep the account, unless such a mail is due. Two queries."""
        due = AccountMail.select().where(AccountMail.user == self.user_id, AccountMail.kind == REQUESTED_MAIL)
        if not due.exists():
            AccountMail.put(REQUESTED_MAIL, self.email, self.user, deletion=self.id)

    @classmethod
    def _open(cls) -> "ModelSelect[Self]":
        return cls.select().where(cls.begun_at.is_null(), cls.returned_at.is_null(), cls.due_at > utcnow())

    def _tell(self, account: User) -> None:
        """Mail that it was asked for, and how to take it back, to whomever the account may be."""
        AccountMail.delete().where(AccountMail.user == account.id).execute()
        changes = EmailChange.select().where(EmailChange.user == account.id)
        addresses = {account.email, *(change.old_address for change in changes if change.can_be_undone)} - {""}
        EmailChange.cancel(account)
        for address in sorted(addresses):
            AccountMail.put(REQUESTED_MAIL, address, account, deletion=self.id)


Deletion.add_index(fn.LOWER(Deletion.email), where=SQL("email <> ''"), name="deletions_email")
Deletion.add_index(Deletion.id, where=SQL("stopped_at IS NULL"), name="deletions_going_on")
Deletion.add_index(Deletion.id, where=SQL("hidden_at IS NULL"), name="deletions_hiding")
Deletion.add_index(Deletion.id, where=SQL("returned_at IS NOT NULL"), name="deletions_returned")


def row_of(account: User, now: datetime, due: datetime) -> dict[str, Any]:
    """The deletion of an account, to be inserted."""
    moved = {name: getattr(account, name) for name in MOVED}
    times = {"requested_at": now, "due_at": due, "look_at": due, "hidden_at": None if due > now else now}
    return {"user": account.id, "nonce": secrets.token_urlsafe(16)} | moved | times


def _nobody(account: User) -> dict[object, object]:
    """What stands in the row of an account from then on. Its skeleton stays, so nobody gets a name like that."""
    alias = deleted_name()
    names: dict[object, object] = {User.username: alias, User.username_key: alias}
    address = {User.email: "", User.email_confirmed_at: None, User.email_grace_ends_at: None}
    proofs = {User.password_hash: "", User.session_key: new_session_key(), User.role: None}
    return names | address | proofs | {User.skeleton: skeleton(account.username_key)}
