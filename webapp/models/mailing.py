"""Mailing: one mail to many people, from the draft that is being written to the last delivery."""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from peewee import (
    JOIN,
    AutoField,
    BlobField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    ModelSelect,
    TextField,
    fn,
)

from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.task.task import Task
from webapp.models.user import User

SUBJECT_LENGTH = 200
BODY_LENGTH = 20_000
FILE_NAME_LENGTH = 200
# What somebody may mail in 24 hours who has not said who they are, by a password and an address.
GUEST_DAILY_LIMIT = 20
DAY = timedelta(hours=24)
BATCH = 500  # rows in one INSERT

# What is copied when a mail is changed: what its writer says of it.
WRITTEN = ("recipients", "subject", "template", "body", "send_at")


class OverLimit(Exception):
    """More recipients than a person may mail in 24 hours. `limit` is how many, `used` how many they have mailed."""

    def __init__(self, limit: int, used: int, wanted: int) -> None:
        super().__init__(f"{wanted} more after {used} of {limit}")
        self.limit, self.used, self.wanted = limit, used, wanted


class DraftGone(Exception):
    """The draft is none any more: meanwhile it was sent with other words, or a copy was put in its place."""


class Mailing(BaseModel):
    """A mail to many people. While it has a `draft_key` it is a draft; then it has a task, whose state is its own.

    A person has one draft of a new mail, and at most one of the changes to each mail that is scheduled.
    """

    is_changed: bool  # of those that `of` finds

    id = AutoField()
    user = ForeignKeyField(User, backref="mailings", on_delete="CASCADE", index=False)
    user_id: int
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE", help_text="what sends it; null for a draft")
    task_id: UUID | None
    original = ForeignKeyField("self", null=True, on_delete="CASCADE", help_text="the mail that a draft is to replace")
    original_id: int | None
    draft_key = CharField(max_length=40, null=True, unique=True, help_text="whose draft of what; null once it is none")
    form_key = CharField(max_length=32, default="", help_text="the form it was written in, to know a second press")
    change_key = CharField(max_length=32, null=True, help_text="the same of its latest change while it was scheduled")
    recipients = TextField(default="", help_text="as they were typed")
    people = IntegerField(null=True, help_text="to how many a draft goes, as it was last saved; null if unknown")
    subject = CharField(max_length=SUBJECT_LENGTH, default="")
    template = CharField(max_length=40, default="welcome")
    body = TextField(default="")
    send_at = DateTimeField(null=True, help_text="naive UTC; null is at once")
    text = TextField(default="", help_text="what is sent, from when its sending began")
    html = TextField(default="")
    created_at = DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("user", "created_at", "id"), False),)

    @property
    def is_draft(self) -> bool:
        """Whether it is still being written."""
        return self.draft_key is not None

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Mailing]":
        """What a person has sent and scheduled, and their draft of a new mail if it says anything; newest first.

        Each comes with the state and the times of its task, without what it says. `is_changed` is whether changes to it
        have been begun.
        """
        change: Any = cls.alias()
        begun = fn.EXISTS(change.select(change.id).where(change.original == cls.id))
        lean = (cls.id, cls.user, cls.task, cls.draft_key, cls.people, cls.subject, cls.created_at)
        task = (Task.id, Task.state, Task.run_at, Task.finished_at)
        shown = cls.draft_key.is_null() | (cls.recipients != "") | (cls.subject != "") | (cls.body != "")
        return (
            cls.select(*lean, begun.alias("is_changed"), *task)
            .join(Task, JOIN.LEFT_OUTER)
            .where(cls.user == user, cls.original.is_null(), shown)
            .order_by(cls.created_at.desc(), cls.id.desc())
        )

    # Drafts

    @classmethod
    def draft_of(cls, user: User, original: "Mailing | None" = None) -> "Mailing | None":
        """A person's draft of a new mail, or of the changes to a scheduled one; None if they have not begun one."""
        return cls.get_or_none(cls.draft_key == _draft_key(user, original))

    @classmethod
    def begin_draft(cls, user: User, original: "Mailing | None" = None) -> "Mailing":
        """The same, begun if need be: empty, or with all that the original has. Safe for two requests at once."""
        if found := cls.draft_of(user, original):
            return found
        try:
            with database.atomic():
                User.hold(user.id)
                draft = cls.create(user=user, original=original, draft_key=_draft_key(user, original))
                if original:
                    draft._take_from(original)
        except IntegrityError:
            return cls.get(cls.draft_key == _draft_key(user, original))
        return draft

    def copy(self, replacing: bool = False, but: str = "send_at") -> bool:
        """Begin a draft of a new mail with all that this one has but its time; with that, too, if `but` is empty.

        Twice is once.

        False, and nothing changed, where there is one that has something else in it, unless that is to be replaced.
        """
        with database.atomic():
            User.hold(self.user_id)  # whoever else copies waits here
            draft = Mailing.begin_draft(self.user)
            if draft._has_all_of(self, but):
                return True
            if not (replacing or draft.is_blank):
                return False
            draft.delete_instance()
            Mailing.begin_draft(self.user)._take_from(self, but)
        return True

    @property
    def is_blank(self) -> bool:
        """Whether its writer has put nothing into it yet. One query."""
        return not (any((self.recipients, self.subject, self.body, self.send_at)) or self.files())

    def write(self, **fields: Any) -> bool:
        """Save what its writer says of it. False, and nothing saved, once it is no draft any more."""
        self.__data__.update(fields)
        with database.atomic():
            User.hold(self.user_id)
            User.count_change(self.user_id)  # it stands in the list of their mails
            mine = Mailing.id == self.id, Mailing.draft_key.is_null(False)
            return bool(Mailing.update(fields).where(*mine).execute())

    def _still_mine(self) -> tuple[Any, ...]:
        """That the row is the draft that this form has written: SQLite gives the id of one that is gone to another."""
        return Mailing.id == self.id, Mailing.draft_key == self.draft_key, Mailing.form_key == self.form_key

    def _has_all_of(self, other: "Mailing", but: str) -> bool:
        """Whether there is nothing to take from another, nor anything besides."""
        mine, others = ([(file.name, file.size) for file in mailing.files()] for mailing in (self, other))
        same = mine == others and all(getattr(self, name) == getattr(other, name) for name in WRITTEN if name != but)
        return same and not (but and getattr(self, but))

    def _take_from(self, other: "Mailing", but: str = "") -> None:
        people = Delivery.select().where(Delivery.mailing == other.id).count()
        self.write(people=people, **{name: getattr(other, name) for name in WRITTEN if name != but})
        for file in other.files():
            MailingFile.create(
                mailing=self, name=file.name, content_type=file.content_type, size=file.size, data=file.read()
            )

    def discard(self) -> None:
        """Delete the draft with its files; nothing else, should it be no draft any more."""
        with database.atomic():
            User.count_change(self.user_id)
            Mailing.delete().where(Mailing.id == self.id, Mailing.draft_key == self.draft_key).execute()

    def attach(self, name: str, content_type: str, data: bytes) -> None:
        """Add a file, unless it has that very file already."""
        for file in self.files():
            if (file.name, file.size) == (name, len(data)) and file.read() == data:
                return
        MailingFile.create(mailing=self, name=name, content_type=content_type, size=len(data), data=data)

    def files(self) -> "list[MailingFile]":
        """Its attachments in order, without their data."""
        lean = (MailingFile.id, MailingFile.mailing, MailingFile.name, MailingFile.content_type, MailingFile.size)
        return list(MailingFile.select(*lean).where(MailingFile.mailing == self.id).order_by(MailingFile.id))

    # Sending

    @classmethod
    def sent_from(cls, user_id: int, form_key: str) -> "Mailing | None":
        """What this person has already sent, or changed, from that form."""
        same = (cls.form_key == form_key) | (cls.change_key == form_key)
        sent = cls.user == user_id, same, cls.draft_key.is_null()
        return cls.get_or_none(*sent) if form_key else None

    def submit(self, addresses: list[str], limit: int) -> "Mailing":
        """Make the draft a mail to these people, within the person's limit. In a transaction, which then gives it a
        task. Raises OverLimit, and DraftGone; RuntimeError where no transaction is open.

        Returns the mail: this one, or another row with the task that it has, when another press of the same button
        was first.
        """
        User.hold(self.user_id)  # whoever else sends for this person waits here
        User.count_change(self.user_id)
        mine = self._still_mine()
        if sent := Mailing.sent_from(self.user_id, self.form_key):
            Mailing.delete().where(*mine).execute()
            return sent
        if not Mailing.update(draft_key=None, created_at=utcnow()).where(*mine).execute():
            raise DraftGone
        MailCount.take(self.user_id, len(addresses), limit, self)
        self.draft_key = None
        Delivery.plan(self, addresses)
        return self

    def replace_by(self, draft: "Mailing", addresses: list[str], limit: int) -> None:
        """Take all that the draft has. In a transaction in which its task is still scheduled.

        Nothing is left to do when another press of the same button was first. Raises OverLimit, and DraftGone;
        RuntimeError where no transaction is open.
        """
        MailCount.take(self.user_id, len(addresses), limit, self)
        written = {name: getattr(draft, name) for name in WRITTEN}
        if not Mailing.select().where(*draft._still_mine()).exists():
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

    def keep(self, text: str, html: str) -> None:
        """Remember what is sent, so that everybody gets the same, however often its sending is interrupted."""
        self.text, self.html = text, html
        Mailing.update(text=text, html=html).where(Mailing.id == self.id).execute()


class MailingFile(BaseModel):
    """A file that goes with a mail, whole. Rows of `Mailing.files` come without their data; `read` fetches it."""

    id = AutoField()
    mailing = ForeignKeyField(Mailing, backref="attachments", on_delete="CASCADE")
    name = CharField(max_length=FILE_NAME_LENGTH)
    content_type = CharField(max_length=100)
    size = IntegerField(help_text="bytes")
    data = BlobField()

    def read(self) -> bytes:
        """The file's content."""
        return bytes(MailingFile.select(MailingFile.data).where(MailingFile.id == self.id).scalar())


class Sending(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    SENDING = "sending"  # in flight; one whose worker died then is sent again, with the same Message-ID
    SENT = "sent"
    REFUSED = "refused"  # for good
    FAILED = "failed"  # tried as often as it is worth


UNSETTLED = (Sending.WAITING, Sending.SENDING)
NOT_DELIVERED = (Sending.REFUSED, Sending.FAILED)


class Delivery(BaseModel):
    """One mailing to one address."""

    id = AutoField()
    mailing = ForeignKeyField(Mailing, backref="deliveries", on_delete="CASCADE", index=False)
    address = CharField(max_length=254)
    state = CharField(max_length=8, default=Sending.WAITING)
    error = CharField(max_length=300, default="", help_text="why it was not delivered, in words")
    tries = IntegerField(default=0)
    tried_at = DateTimeField(null=True)
    message_id = CharField(max_length=60, help_text="without its domain; the same however often it is tried")

    class Meta:
        table_name = "deliveries"
        indexes = ((("mailing", "address"), True), (("mailing", "state"), False))

    @classmethod
    def plan(cls, mailing: Mailing, addresses: list[str]) -> None:
        """Write down whom a mailing goes to, in this order."""
        rows = [
            {"mailing": mailing.id, "address": address, "message_id": f"mailing-{uuid4().hex}"} for address in addresses
        ]
        for begin in range(0, len(rows), BATCH):
            cls.insert_many(rows[begin : begin + BATCH]).execute()

    @classmethod
    def unsettled(cls, mailing: Mailing) -> "ModelSelect[Delivery]":
        """Those of a mailing that are still to be sent, in order."""
        return cls.select().where(cls.mailing == mailing.id, cls.state.in_(UNSETTLED)).order_by(cls.id)

    @classmethod
    def not_delivered(cls, mailing: Mailing) -> "ModelSelect[Delivery]":
        """Those of a mailing that were refused or given up, in order."""
        return cls.select().where(cls.mailing == mailing.id, cls.state.in_(NOT_DELIVERED)).order_by(cls.id)

    @classmethod
    def counts(cls, mailing: Mailing) -> dict[Sending, int]:
        """How many of a mailing are in each state; those of no delivery are 0. One query."""
        return cls.counts_of([mailing])[mailing.id]

    @classmethod
    def counts_of(cls, mailings: list[Mailing]) -> dict[int, dict[Sending, int]]:
        """The same for several, by their ids. One query."""
        found = {mailing.id: dict.fromkeys(Sending, 0) for mailing in mailings}
        counted = cls.select(cls.mailing, cls.state, fn.COUNT(cls.id)).where(cls.mailing.in_(list(found)))
        rows: Any = counted.group_by(cls.mailing, cls.state).tuples()
        for mailing_id, state, number in rows:
            found[mailing_id][Sending(state)] = int(number)
        return found

    def begin(self) -> None:
        """It is about to be given to the mail server."""
        self._record(Sending.SENDING, "", tries=self.tries + 1, tried_at=utcnow())

    def settle(self, state: Sending, error: str = "") -> None:
        """What came of it."""
        self._record(state, error)

    def _record(self, state: Sending, error: str, **fields: Any) -> None:
        changes = {"state": state, "error": error[:300]} | fields
        self.__data__.update(changes)
        Delivery.update(changes).where(Delivery.id == self.id).execute()


class MailCount(BaseModel):
    """How many people somebody has mailed, and when: what their limit is counted by. It outlives the mail itself, so
    that deleting a mail gives nothing back.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    mailing = ForeignKeyField(Mailing, null=True, on_delete="SET NULL")
    number = IntegerField()
    at = DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("user", "at"), False),)

    @classmethod
    def used(cls, user_id: int, but: "Mailing | None" = None) -> int:
        """How many deliveries somebody has asked for in the last 24 hours, leaving out one mailing."""
        query = cls.select(fn.COALESCE(fn.SUM(cls.number), 0)).where(cls.user == user_id, cls.at > utcnow() - DAY)
        if but:
            query = query.where(cls.mailing.is_null() | (cls.mailing != but.id))
        return int(query.scalar())

    @classmethod
    def take(cls, user_id: int, number: int, limit: int, mailing: Mailing) -> None:
        """Count these for a mailing, in a transaction; what was counted for it before is given back.

        Raises OverLimit, and RuntimeError where no transaction is open. Two at once wait for each other at the
        person's row, so that they are not both let by.
        """
        User.hold(user_id)
        User.count_change(user_id)
        used = cls.used(user_id, but=mailing)
        if used + number > limit:
            raise OverLimit(limit, used, number)
        cls.delete().where(cls.user == user_id, (cls.at <= utcnow() - DAY) | (cls.mailing == mailing.id)).execute()
        cls.create(user=user_id, mailing=mailing, number=number)


def daily_limit(user: User, limit: int) -> int:
    """How many people this person may mail in 24 hours, where accounts that say whose they are may mail `limit`."""
    return limit if user.email and not user.is_guest else min(limit, GUEST_DAILY_LIMIT)


def _draft_key(user: User, original: Mailing | None) -> str:
    return f"{user.id}:{original.id if original else ''}"
