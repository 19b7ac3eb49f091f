"""Mailing: one mail to many people, from the draft that is being written to the last delivery."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from peewee import JOIN, ModelSelect, fn

from tasks.engine.models.observers import on_reschedule
from tasks.engine.models.row import TaskRow
from tasks.engine.models.task import Task
from webapp.db import database
from webapp.db.traits import own_references
from webapp.lib.times import utcnow
from webapp.models.mailing.attachments import MailingFile
from webapp.models.mailing.daily_limit import demand_within_limit
from webapp.models.mailing.delivery import Delivery
from webapp.models.mailing.drafts import Drafts, own_draft_key
from webapp.models.mailing.row import SUBJECT_LENGTH, WRITTEN, MailingRow
from webapp.models.storage_count import demand_room
from webapp.models.user import User

TEST = "Test: "  # begins the subject of what somebody sends to themselves


class DraftGone(Exception):
    """It is no draft any more: meanwhile it was sent with other words, or replaced by a copy."""


class Mailing(Drafts, MailingRow):
    """A mail to many people. While it has a `draft_key` it is a draft; then it has a task, whose state is its own."""

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[Self]":
        """The mails that this person may see, drafts included."""
        return cls.select().where(cls.user == user)

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Self]":
        """What a person has sent and scheduled, and their drafts of new mails that say anything; newest first.

        Each comes with the state and the times of its task, without what it says. `is_changed` is whether changes to it
        have been begun.
        """
        said = cls.draft_key.is_null() | (cls.recipients != "") | (cls.subject != "") | (cls.body != "")
        return cls._listed(user).where(said)

    @classmethod
    def for_programs(cls, user: User) -> "ModelSelect[Self]":
        """What a person and their programs have sent and scheduled, and the drafts of programs, as `of` has them."""
        return cls._listed(user).where(cls._is_for_programs(user))

    @classmethod
    def find_for_programs(cls, user: User, mailing_id: int) -> Self | None:
        """One of these, whole. One query."""
        mine = cls.id == mailing_id, cls.original.is_null(), cls._is_for_programs(user)
        found: Self | None = cls.visible_to(user).where(*mine).first()
        if found:
            found.user = user
        return found

    @classmethod
    def _is_for_programs(cls, user: User) -> Any:
        """All but the draft that its person writes, in a browser that may have it open."""
        return cls.draft_key.is_null() | (cls.draft_key != own_draft_key(user))

    @classmethod
    def _listed(cls, user: User) -> "ModelSelect[Self]":
        change: Any = cls.alias()
        begun = fn.EXISTS(change.select(change.id).where(change.original == cls.id))
        lean = (cls.id, cls.user, cls.task, cls.draft_key, cls.people, cls.subject, cls.created_at)
        task = (Task.id, Task.state, Task.run_at, Task.finished_at)
        return (
            cls.visible_to(user)
            .select(*lean, begun.alias("is_changed"), *task)
            .join(Task, JOIN.LEFT_OUTER)
            .where(cls.original.is_null())
            .order_by(cls.created_at.desc(), cls.id.desc())
        )

    def current_task(self) -> Task:
        """The task that sends it, as it is now. One query. Raises DoesNotExist for a draft, which has none."""
        return Task.get_by_id(self.task_id)

    @classmethod
    def sent_from(cls, user_id: int, form_key: str) -> Self | None:
        """What this person has already sent, or changed, from that form."""
        same = (cls.form_key == form_key) | (cls.change_key == form_key)
        sent = cls.user == user_id, same, cls.draft_key.is_null()
        return cls.get_or_none(*sent) if form_key else None

    def submit(self, addresses: list[str], limit: int) -> Self:
        """Make the draft a mail to these people, within the person's limit. In a transaction, which then gives it a
        task. Raises OverLimit, and DraftGone; RuntimeError where no transaction is open.

        Returns the mail: this one, or another row with the task that it has, when another press of the same button
        was first.
        """
        User.hold(self.user_id)  # whoever else sends for this person waits here
        User.count_change(self.user_id)
        mine = self.is_same_draft()
        if sent := type(self).sent_from(self.user_id, self.form_key):
            Mailing.delete().where(*mine).execute()
            return sent
        if not Mailing.update(draft_key=None, created_at=utcnow()).where(*mine).execute():
            raise DraftGone
        demand_within_limit(self, len(addresses), limit, self.send_at)
        self.draft_key = None
        Delivery.plan(self, addresses)
        return self

    def replace_by(self, draft: MailingRow, addresses: list[str], limit: int) -> None:
        """Take all that the draft has. In a transaction in which its task is still scheduled.

        Nothing is left to do when another press of the same button was first. Raises OverLimit, and DraftGone;
        RuntimeError where no transaction is open.
        """
        User.hold(self.user_id)
        User.count_change(self.user_id)
        demand_within_limit(self, len(addresses), limit, draft.send_at)
        written = {name: getattr(draft, name) for name in WRITTEN}
        if not Mailing.select().where(*draft.is_same_draft()).exists():
            now = Mailing.get_by_id(self.id)
            if written != {name: getattr(now, name) for name in WRITTEN}:
                raise DraftGone
            return
        self.__data__.update(written)
        Mailing.update(written | {"change_key": draft.form_key}).where(Mailing.id == self.id).execute()
        MailingFile.delete().where(MailingFile.mailing == self.id).execute()
        MailingFile.update(mailing=self.id).where(MailingFile.mailing == draft.id).execute()
        Delivery.delete().where(Delivery.mailing == self.id).execute()
        Delivery.plan(self, addresses)
        draft.delete_instance()

    @contextmanager
    def changing_files(self) -> Iterator[None]:
        """A transaction in which a draft stays one, and a mail that is scheduled does not start.

        Raises IllegalTransition once it is not scheduled any more, and DraftGone.
        """
        with database.atomic():
            if not self.is_draft:
                task = self.current_task()
                task.reschedule(task.run_at or utcnow())
            User.hold(self.user_id)
            User.count_change(self.user_id)
            if self.is_draft and not Mailing.select().where(*self.is_same_draft()).exists():
                raise DraftGone
            yield

    def rewrite(self, written: dict[str, Any], addresses: list[str], limit: int) -> None:
        """Say something else, which is all of WRITTEN, to these people. In a transaction in which its task is still
        scheduled.

        Raises OverLimit, and OverQuota where there is no room for it; RuntimeError where no transaction is open.
        """
        User.hold(self.user_id)
        User.count_change(self.user_id)
        demand_within_limit(self, len(addresses), limit, written["send_at"])
        size, written = self.text_size, {name: written[name] for name in WRITTEN}
        self.__data__.update(written)
        demand_room(self.user, self.text_size - size)
        Mailing.update(written).where(Mailing.id == self.id).execute()
        Delivery.delete().where(Delivery.mailing == self.id).execute()
        Delivery.plan(self, addresses)

    def plan_test(self, address: str, limit: int) -> Self:
        """Another mail with all that this has, to one address, in a transaction, which then gives it a task. Its
        subject says that it is a test. Raises OverLimit; RuntimeError where no transaction is open."""
        User.hold(self.user_id)
        User.count_change(self.user_id)
        test = type(self).create(
            user=self.user_id,
            recipients=address,
            subject=f"{TEST}{self.subject}"[:SUBJECT_LENGTH],
            template=self.template,
            body=self.body,
        )
        demand_within_limit(test, 1, limit, None)
        test.take_files_from(self)
        Delivery.plan(test, [address])
        return test

    def keep(self, text: str, html: str) -> None:
        """Remember what is sent, so that everybody gets the same, however often its sending is interrupted."""
        self.text, self.html = text, html
        Mailing.update(text=text, html=html).where(Mailing.id == self.id).execute()


own_references(Mailing)


@on_reschedule
def keep_time(task: TaskRow) -> None:
    """What its form shows, and a copy takes over. Its limits are asked again as it is sent."""
    if Mailing.select(Mailing.id).where(Mailing.task == task.id).exists():
        User.hold(task.user_id)
        Mailing.update(send_at=task.run_at).where(Mailing.task == task.id).execute()
