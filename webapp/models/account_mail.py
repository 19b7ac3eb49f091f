"""AccountMail: a mail about somebody's account, from the transaction of what it is about until it has been sent."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from peewee import SQL, AutoField, Case, CharField, DateTimeField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.rate_count import RateCount
from webapp.models.user import User

KEPT = timedelta(days=1)  # what could not be sent by then helps nobody any more
HOUR = 3600.0  # seconds
TRIES_FIRST = 3  # of a mail that may have arrived, before all others
MOST_TOLD = 10  # mails of a kind in an hour, or who changes something again and again fills a mailbox


class AccountMail(BaseModel):
    """One mail of a kind in `webapp.mail.account_mails.ACCOUNT_MAILS` to one address.

    It goes to the address that it was written for, whatever the account's is by then. What it says, links included, is
    made as it is sent, so nothing secret is stored. An account may have several that are due.
    """

    id = AutoField()
    user = ForeignKeyField(User, null=True, on_delete="CASCADE", help_text="null where only an address was given")
    user_id: int | None
    address = CharField(max_length=254)
    kind = CharField(max_length=30)
    arguments = JSONField(default=dict)
    created_at = DateTimeField(default=utcnow, index=True)
    mail_key = CharField(max_length=50, null=True, help_text="its Message-ID, from just before it is sent")
    tries = IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text="by that Message-ID")
    network = CharField(max_length=32, null=True, help_text="a digest of who asked, where only an address was given")

    class Meta:
        table_name = "account_mails"

    @classmethod
    def put(cls, kind: str, address: str, user: User | None = None, **arguments: Any) -> None:
        """Let an address be mailed; in the transaction of what that tells of. One insert."""
        cls.insert(kind=kind, address=address, user=user, arguments=arguments, created_at=utcnow()).execute()

    @classmethod
    def tell(cls, user: User, kind: str, **arguments: Any) -> None:
        """Let somebody be mailed what has happened to their account, if they have an address; in its transaction.

        Of many of a kind in an hour, the first MOST_TOLD are mailed. Two writes.
        """
        if user.email and RateCount.add(f"{kind} of {user.id}", HOUR) <= MOST_TOLD:
            cls.put(kind, user.email, user, **arguments)

    @classmethod
    def mail_due(cls, limit: int) -> "ModelSelect[User]":
        """People about whose accounts a mail is due. One query, by index."""
        return User.select().where(User.id.in_(cls.select(cls.user).where(cls.user.is_null(False)))).limit(limit)

    @classmethod
    def is_due(cls, user: User) -> bool:
        """Whether any mail about somebody's account is. One query, by index."""
        return cls.select().where(cls.user == user).exists()

    @classmethod
    def begin_mail(cls, user: User) -> str | None:
        """Give the oldest that is due about somebody's account its name, and return that; None if there is none.

        One that was begun and not settled goes first: nobody knows whether it was sent. After TRIES_FIRST it goes last:
        it may be what the mail server cannot bear, and the others need not wait for it.
        """
        was_begun = cls.mail_key.is_null(False) & (cls.tries < TRIES_FIRST)
        turn: Any = Case(None, [(was_begun, 0), (cls.mail_key.is_null(), 1)], 2)
        with database.atomic():
            due = cls.select().where(cls.user == user).order_by(turn, cls.tries, cls.id).first()
            if due is None:
                return None
            due.mail_key, due.tries = due.mail_key or f"account-{uuid4().hex}", due.tries + 1
            due.save(only=[cls.mail_key, cls.tries])
        return str(due.mail_key)

    @classmethod
    def of_mail(cls, user: User, key: str) -> "AccountMail | None":
        """The one of that name. One query."""
        return cls.get_or_none(cls.user == user, cls.mail_key == key)

    @classmethod
    def put_mail_off(cls, user: User, key: str) -> None:
        """That mail was not sent; it is to be tried again, after all else that is due about the account by now."""
        old = (cls.user == user) & (cls.mail_key == key)
        kept = cls.user, cls.address, cls.kind, cls.arguments, cls.created_at
        with database.atomic():
            cls.insert_from(cls.select(*kept).where(old), kept).execute()
            cls.delete().where(old).execute()

    @classmethod
    def settle_mail(cls, user: User, key: str | None = None) -> None:
        """That mail is due no more, or none about this account is."""
        cls.delete().where(cls.user == user, (cls.mail_key == key) if key else True).execute()

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that nobody waits for any more; returns how many that were."""
        old = cls.select(cls.id).where(cls.created_at < utcnow() - KEPT).order_by(cls.created_at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


also_purge(AccountMail, AccountMail.purge)
