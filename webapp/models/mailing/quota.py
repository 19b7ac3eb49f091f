"""MailCount: how many people somebody has mailed lately, and how many they may."""

from datetime import timedelta

from peewee import AutoField, DateTimeField, DeferredForeignKey, ForeignKeyField, IntegerField, fn

from webapp.db import BaseModel
from webapp.lib.times import utcnow
from webapp.models.mailing.row import MailingRow
from webapp.models.user import User

# What somebody may mail in 24 hours who has not said who they are, by a password and a confirmed address.
GUEST_DAILY_LIMIT = 20
DAY = timedelta(hours=24)


class OverLimit(Exception):
    """More recipients than a person may mail in 24 hours. `limit` is how many, `used` how many they have mailed."""

    def __init__(self, limit: int, used: int, wanted: int) -> None:
        super().__init__(f"{wanted} more after {used} of {limit}")
        self.limit, self.used, self.wanted = limit, used, wanted


class MailCount(BaseModel):
    """How many people somebody has mailed, and when: what their limit is counted by. It outlives the mail itself, so
    that deleting a mail gives nothing back.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    mailing = DeferredForeignKey("Mailing", null=True, on_delete="SET NULL")
    number = IntegerField()
    at = DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("user", "at"), False),)

    @classmethod
    def used(cls, user_id: int, exclude: MailingRow | None = None) -> int:
        """How many deliveries somebody has asked for in the last 24 hours, leaving out one mailing."""
        query = cls.select(fn.COALESCE(fn.SUM(cls.number), 0)).where(cls.user == user_id, cls.at > utcnow() - DAY)
        if exclude:
            query = query.where(cls.mailing.is_null() | (cls.mailing != exclude.id))
        return int(query.scalar())

    @classmethod
    def take(cls, user_id: int, number: int, limit: int, mailing: MailingRow) -> None:
        """Count these for a mailing, in a transaction; what was counted for it before is given back.

        Raises OverLimit, and RuntimeError where no transaction is open. Two at once wait for each other at the
        person's row, so that they are not both let by.
        """
        User.hold(user_id)
        User.count_change(user_id)
        used = cls.used(user_id, exclude=mailing)
        if used + number > limit:
            raise OverLimit(limit, used, number)
        cls.delete().where(cls.user == user_id, (cls.at <= utcnow() - DAY) | (cls.mailing == mailing.id)).execute()
        cls.create(user=user_id, mailing=mailing, number=number)


def daily_limit(user: User, limit: int) -> int:
    """How many people this person may mail in 24 hours, where `limit` is for accounts with a confirmed address."""
    return limit if user.email and not user.is_guest else min(limit, GUEST_DAILY_LIMIT)
