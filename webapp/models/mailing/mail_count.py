"""MailCount: how many people somebody has mailed lately."""

from datetime import datetime, timedelta
from typing import Any

from peewee import AutoField, BooleanField, DateTimeField, DeferredForeignKey, ForeignKeyField, IntegerField, fn

from webapp.db import BaseModel, Param, compiled
from webapp.lib.times import utcnow
from webapp.models.mailing.row import MailingRow
from webapp.models.user import User

DAY = timedelta(hours=24)
COUNTED_TOGETHER = timedelta(minutes=5)  # in one row, which counts from when the first was sent


def since() -> datetime:
    """From when on what was sent counts by now."""
    return utcnow() - DAY


class MailCount(BaseModel):
    """How many people somebody has mailed with one mail within some minutes: what their limit is counted by.

    It outlives the mail itself, so that deleting a mail gives nothing back. It is written with the deliveries that it
    counts, in one commit; the release before counted all of a mail when that was submitted.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    mailing = DeferredForeignKey("Mailing", null=True, on_delete="SET NULL")
    number = IntegerField()
    at = DateTimeField(default=utcnow)
    is_of_sent = BooleanField(null=True, help_text="null where the release before has counted what was submitted")

    class Meta:
        indexes = ((("user", "at"), False),)

    @classmethod
    def sent_by(cls, user_id: int) -> list[tuple[datetime, int]]:
        """When in the last 24 hours somebody has mailed how many people, the oldest first. One query by index."""
        counted = cls.select(cls.number, cls.at).where(cls.user == user_id, cls.at > since(), cls.number > 0)
        return [(row.at, row.number) for row in counted.order_by(cls.at)]

    @classmethod
    def take_over(cls, mailing: MailingRow, sent: int) -> None:
        """Let what the release before has counted of a mailing, all at once, be the number that was sent. One query."""
        by_release_before = cls.mailing == mailing.id, cls.is_of_sent.is_null()
        cls.update(number=sent, is_of_sent=True).where(*by_release_before).execute()

    @classmethod
    def begin(cls, mailing: MailingRow) -> "MailCount":
        """A row to count what is sent of a mailing from now on. Deletes what counts no more. Two queries."""
        cls.delete().where(cls.user == mailing.user_id, cls.at <= since()).execute()
        return cls.create(user=mailing.user_id, mailing=mailing.id, number=0, is_of_sent=True)

    @property
    def is_full(self) -> bool:
        """Whether it is time for another row."""
        return self.at < utcnow() - COUNTED_TOGETHER

    def add(self) -> None:
        """One more was sent; in the transaction that says so. One write."""
        _adding.execute(key=self.id)

    @classmethod
    def free_at(cls, user_id: int, limit: int, wanted: int) -> datetime:
        """When somebody may mail so many people more, of their limit; more than that counts as that. One query."""
        sent = cls.sent_by(user_id)
        over = sum(number for _, number in sent) + min(wanted, limit) - limit
        if over <= 0:
            return utcnow()  # as the day of the earliest has just ended
        for at, number in sent:
            over -= number
            if over <= 0:
                return at + DAY
        return utcnow()


@compiled
def _adding() -> Any:
    return MailCount.update({MailCount.number: MailCount.number + 1}).where(MailCount.id == Param("key"))


def sent_since() -> Any:
    """How many people a `sender` has mailed `since` a time: for a compiled statement of which it is a part."""
    mine = MailCount.user == Param("sender"), MailCount.at > Param("since")
    return MailCount.select(fn.COALESCE(fn.SUM(MailCount.number), 0)).where(*mine)
