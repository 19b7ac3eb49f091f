"""NoticeCount: how many mails about their tasks and messages somebody has got within the hour.

After MOST_AN_HOUR what there is to tell stays in its outboxes until the hour is over, and then goes in one mail, a
`Digest`, which is the first of the next hour. Mails about the account itself are not counted.
"""

from datetime import timedelta
from typing import Any, Protocol

from peewee import EXCLUDED, Case, CharField, DateTimeField, ForeignKeyField, IntegerField, ModelSelect, fn

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.user import User

MOST_AN_HOUR = 6  # mails to one person
WINDOW = timedelta(hours=1)
DIGEST = "digest-"  # before the name of such a mail


class NoticeCount(BaseModel):
    """One person's mails of an hour, which begins with its first. With MOST_AN_HOUR it is closed until its digest."""

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    user_id: int
    number = IntegerField()
    until = DateTimeField(index=True)
    digest_key = CharField(max_length=50, null=True, help_text="the digest of this hour, from just before it is sent")

    class Meta:
        table_name = "notice_counts"

    @classmethod
    def take(cls, user: User) -> bool:
        """Count a mail before it is sent; False, and it is not to be sent, after MOST_AN_HOUR. One write."""
        now = utcnow()
        is_closed, goes_on = cls.number >= MOST_AN_HOUR, cls.until > now
        number = Case(None, [(is_closed, MOST_AN_HOUR + 1), (goes_on, cls.number + 1)], EXCLUDED.number)
        until = Case(None, [(is_closed | goes_on, cls.until)], EXCLUDED.until)
        row = cls.insert(user=user.id, number=1, until=now + WINDOW)
        counted: Any = row.on_conflict(conflict_target=(cls.user,), update={cls.number: number, cls.until: until})
        [[number]] = database.execute(counted.returning(cls.number)).fetchall()
        return int(number) <= MOST_AN_HOUR

    @classmethod
    def give_back(cls, user: User) -> None:
        """A mail that was counted was not sent, and another may go in its place. One write."""
        fewer: Any = Case(None, [(cls.number > MOST_AN_HOUR, MOST_AN_HOUR)], cls.number) - 1
        counted = (cls.user == user.id) & (cls.number > 0) & cls.digest_key.is_null()
        cls.update(number=fewer).where(counted).execute()

    @classmethod
    def is_closed(cls) -> Any:
        """For queries of users: whether what there is to tell somebody waits for their digest."""
        return fn.EXISTS(cls.select(cls.user).where(cls.user == User.id, cls.number >= MOST_AN_HOUR))

    @classmethod
    def digests_due(cls, limit: int) -> "ModelSelect[User]":
        """People whose hour is over, and with it the wait for what came too often. One query, by index."""
        over = cls.select(cls.user).where(cls.until <= utcnow(), cls.number >= MOST_AN_HOUR)
        return User.select().where(User.id.in_(over)).limit(limit)

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many whose hour is over, and that no digest follows; returns how many that were."""
        old = cls.select(cls.user).where(cls.until <= utcnow(), cls.number < MOST_AN_HOUR).limit(at_once)
        return int(cls.delete().where(cls.user.in_(old), cls.until <= utcnow(), cls.number < MOST_AN_HOUR).execute())


also_purge(NoticeCount, NoticeCount.purge)


class Notices(Protocol):
    """An outbox of one kind of notices. Message and OutcomeMail are such."""

    def begun_mail(self, user: User, /) -> str | None:
        """The mail that was begun and not settled, if there is one."""

    def begin_mail(self, user: User, /) -> str | None:
        """Put what there is into a mail, unless one has been begun; returns its name."""

    def put_mail_off(self, user: User, key: str, /) -> None:
        """That mail was not sent; what it tells of is for another."""

    def settle_mail(self, user: User, key: str | None = None, /) -> None:
        """What that mail tells of, or all there is, is to be told no more."""


class Counted:
    """An outbox whose mails are counted as they are begun; those that are not begun for that wait for the digest."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def begin_mail(self, user: User) -> str | None:
        """As that of the outbox; None, too, while what there is waits for the digest, or is in one that was begun."""
        with database.atomic():
            User.hold(user.id)  # people before the rest: a digest holds them, too
            if begun := self._notices.begun_mail(user):
                return None if begun.startswith(DIGEST) else begun
            if not NoticeCount.take(user):
                return None
            key = self._notices.begin_mail(user)
            if key is None:
                NoticeCount.give_back(user)
        return key

    def put_mail_off(self, user: User, key: str) -> None:
        """That mail was not sent, and is not counted; what it tells of is for another."""
        with database.atomic():
            self._notices.put_mail_off(user, key)
            NoticeCount.give_back(user)

    def settle_mail(self, user: User, key: str | None = None) -> None:
        """What that mail tells of, or all there is, is to be told no more."""
        self._notices.settle_mail(user, key)
