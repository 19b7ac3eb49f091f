"""Digest: one mail about all that came too often to be mailed one by one, once the hour is over."""

from uuid import uuid4

from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.message import Message
from webapp.models.notice_count import DIGEST, MOST_AN_HOUR, WINDOW, NoticeCount
from webapp.models.outcome_mail import OutcomeMail
from webapp.models.user import User

OUTBOXES = (
    OutcomeMail,
    Message,
)


class Digest:
    """The outbox of digests: what waits in all OUTBOXES, under one name.

    What is in a mail that was begun before is left to that, which may have arrived.
    """

    @staticmethod
    def begin_mail(user: User) -> str | None:
        """Put all that waits into a digest, unless one has been begun; returns its name, None where nothing waits."""
        with database.atomic():
            User.hold(user.id)
            count = locking(NoticeCount.select().where(NoticeCount.user == user.id)).first()
            if count is None or count.number < MOST_AN_HOUR:
                return None  # it is sent already
            if count.digest_key:
                return str(count.digest_key)
            key = f"{DIGEST}{uuid4().hex}"
            waiting = sum(outbox.join_mail(user, key) for outbox in OUTBOXES)
            if waiting:
                NoticeCount.update(digest_key=key).where(NoticeCount.user == user.id).execute()
            else:
                NoticeCount.delete().where(NoticeCount.user == user.id).execute()
        return key if waiting else None

    @staticmethod
    def put_mail_off(user: User, key: str) -> None:
        """That digest was not sent; what it tells of is for another, with what has come meanwhile."""
        with database.atomic():
            User.hold(user.id)
            for outbox in OUTBOXES:
                outbox.put_mail_off(user, key)
            NoticeCount.update(digest_key=None).where(NoticeCount.user == user.id).execute()

    @staticmethod
    def settle_mail(user: User, key: str | None = None) -> None:
        """What that digest tells of, or all that waits, is to be told no more. It is the first mail of a new hour."""
        mine = NoticeCount.user == user.id
        with database.atomic():
            User.hold(user.id)
            for outbox in OUTBOXES:
                outbox.settle_mail(user, key)
            if key:
                first = {"number": 1, "until": utcnow() + WINDOW, "digest_key": None}
                NoticeCount.update(first).where(mine, NoticeCount.digest_key == key).execute()
            else:
                NoticeCount.delete().where(mine).execute()
