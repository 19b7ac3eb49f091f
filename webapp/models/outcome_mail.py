"""OutcomeMail: that somebody is to be mailed how a task of theirs has ended."""

from uuid import uuid4

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, ModelSelect

from tasks.engine.models.row import TaskRow
from tasks.engine.models.task import Task
from webapp.db import BaseModel, database
from webapp.models.notification_kinds import NotificationKind
from webapp.models.user import User

MOST_IN_ONE = 500  # tasks in one mail


class OutcomeMail(BaseModel):
    """One end of one task, from the transaction in which it ended until it has been mailed.

    A task that is tried again before that, or is deleted, is not told of: `ended_at` is then no longer when it ended.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    task = ForeignKeyField(Task, on_delete="CASCADE")
    ended_at = DateTimeField(help_text="the task's finished_at of then")
    mail_key = CharField(max_length=50, null=True, help_text="the mail that tells of it, from just before it is sent")

    class Meta:
        table_name = "outcome_mails"

    @classmethod
    def put(cls, owner: User, task: TaskRow, kind: NotificationKind) -> None:
        """Let its owner be mailed of a task that has just ended, if they want that; in the transaction of its end."""
        if owner.wants_email_about(kind, task.run_seconds):
            cls.create(user=task.user_id, task=task.id, ended_at=task.finished_at)

    @classmethod
    def mail_due(cls, limit: int) -> "ModelSelect[User]":
        """People who are to be mailed about something. One query, by index."""
        return User.select().where(User.id.in_(cls.select(cls.user))).limit(limit)

    @classmethod
    def begun_mail(cls, user: User) -> str | None:
        """The mail that was begun and not settled: nobody knows whether it was sent. None if there is none."""
        begun = cls.select(cls.mail_key).where(cls.user == user, cls.mail_key.is_null(False)).limit(1).scalar()
        return str(begun) if begun else None

    @classmethod
    def join_mail(cls, user: User, key: str) -> int:
        """Put all that is in no mail into that one, however much it is; returns how much. One write."""
        return int(cls.update(mail_key=key).where(cls.user == user, cls.mail_key.is_null()).execute())

    @classmethod
    def begin_mail(cls, user: User) -> str | None:
        """Put what somebody is to be told into a mail to them, and return its name; None if there is nothing.

        Where a mail was begun and not settled, nobody knows whether it was sent: then it is that one. A mail tells of
        the first MOST_IN_ONE; the others are for the next.
        """
        mine = cls.user == user
        with database.atomic():
            if begun := cls.begun_mail(user):
                return begun
            key = f"outcomes-{uuid4().hex}"
            first = cls.select(cls.id).where(mine).order_by(cls.id).limit(MOST_IN_ONE)
            put = cls.update(mail_key=key).where(cls.id.in_(list(first)), cls.mail_key.is_null()).execute()
        return key if put else None

    @classmethod
    def of_mail(cls, user: User, key: str) -> "ModelSelect[Task]":
        """The tasks that a mail tells of and that have not moved since, in the order in which they ended."""
        told = (cls.user == user) & (cls.mail_key == key) & (cls.ended_at == Task.finished_at)
        return Task.select().join(cls, on=cls.task == Task.id).where(told).order_by(cls.ended_at, cls.id)

    @classmethod
    def put_mail_off(cls, user: User, key: str) -> None:
        """That mail was not sent; what it told of is for another."""
        cls.update(mail_key=None).where(cls.user == user, cls.mail_key == key).execute()

    @classmethod
    def settle_mail(cls, user: User, key: str | None = None) -> None:
        """What that mail tells of, or all that was to be mailed, is to be mailed no more."""
        cls.delete().where(cls.user == user, (cls.mail_key == key) if key else True).execute()
