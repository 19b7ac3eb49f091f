"""Delivery: one mailing to one address, and how far it is."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self
from uuid import uuid4

from peewee import AutoField, CharField, DateTimeField, DeferredForeignKey, IntegerField, ModelSelect, fn

from webapp.db import BaseModel, Param, compiled, params_of
from webapp.lib.times import utcnow
from webapp.models.mailing.mail_count import sent_since, since
from webapp.models.mailing.row import MailingRow
from webapp.models.mailing.suppression import Reason, key_of, suppressing

BATCH = 500  # rows in one INSERT


class Sending(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    SENDING = "sending"  # in flight; one whose worker died then is sent again, with the same Message-ID
    SENT = "sent"
    REFUSED = "refused"  # for good
    FAILED = "failed"  # tried as often as it is worth
    # Left out, since it is not to be mailed. Until the release after this one it is stored as REFUSED with a reason in
    # `skipped`: the release before cannot count a state that it does not know.
    SKIPPED = "skipped"


UNSETTLED = (Sending.WAITING, Sending.SENDING)
NOT_DELIVERED = (Sending.REFUSED, Sending.FAILED, Sending.SKIPPED)


class Delivery(BaseModel):
    """One mailing to one address."""

    id = AutoField()
    mailing: Any = DeferredForeignKey("Mailing", backref="deliveries", on_delete="CASCADE", index=False)
    address = CharField(max_length=254)
    state = CharField(max_length=8, default=Sending.WAITING)
    error = CharField(max_length=300, default="", help_text="why it was not delivered, in words")
    skipped = CharField(
        max_length=12, null=True, help_text="a Reason: it is left out for that, whatever the state says"
    )
    tries = IntegerField(default=0)
    tried_at = DateTimeField(null=True)
    message_id = CharField(max_length=60, help_text="without its domain; the same however often it is tried")

    class Meta:
        table_name = "deliveries"
        indexes = ((("mailing", "address"), True), (("mailing", "state"), False))

    @classmethod
    def plan(cls, mailing: MailingRow, addresses: list[str]) -> None:
        """Write down whom a mailing goes to, in this order."""
        rows = [
            {"mailing": mailing.id, "address": address, "message_id": f"mailing-{uuid4().hex}"} for address in addresses
        ]
        for begin in range(0, len(rows), BATCH):
            cls.insert_many(rows[begin : begin + BATCH]).execute()

    @classmethod
    def unsettled(cls, mailing: MailingRow) -> "ModelSelect[Self]":
        """Those of a mailing that are still to be sent, in order."""
        return cls.select().where(cls.mailing == mailing.id, cls.state.in_(UNSETTLED)).order_by(cls.id)

    @classmethod
    def not_delivered(cls, mailing: MailingRow) -> "ModelSelect[Self]":
        """Those of a mailing that were refused or given up, in order."""
        return cls.select().where(cls.mailing == mailing.id, cls.state.in_(NOT_DELIVERED)).order_by(cls.id)

    @classmethod
    def counts(cls, mailing: MailingRow) -> dict[Sending, int]:
        """How many of a mailing are in each state; those of no delivery are 0. Two queries at most."""
        return cls.counts_of([mailing])[mailing.id]

    @classmethod
    def counts_of(cls, mailings: Sequence[MailingRow]) -> dict[int, dict[Sending, int]]:
        """The same for several, by their ids. One query by index, and one more where any was refused."""
        found = {mailing.id: dict.fromkeys(Sending, 0) for mailing in mailings}
        counted = cls.select(cls.mailing, cls.state, fn.COUNT(cls.id)).where(cls.mailing.in_(list(found)))
        rows: Any = counted.group_by(cls.mailing, cls.state).tuples()
        for mailing_id, state, number in rows:
            found[mailing_id][Sending(state)] = int(number)
        refused = [mailing_id for mailing_id, counts in found.items() if counts[Sending.REFUSED]]
        for mailing_id, number in cls._skipped(refused):
            found[mailing_id][Sending.SKIPPED] += number
            found[mailing_id][Sending.REFUSED] -= number
        return found

    @classmethod
    def _skipped(cls, mailing_ids: list[int]) -> list[tuple[int, int]]:
        """How many of each of these mailings are stored as refused and were left out."""
        if not mailing_ids:
            return []
        which = cls.mailing.in_(mailing_ids), cls.state == Sending.REFUSED, cls.skipped.is_null(False)
        rows: Any = cls.select(cls.mailing, fn.COUNT(cls.id)).where(*which).group_by(cls.mailing).tuples()
        return [(mailing_id, int(number)) for mailing_id, number in rows]

    @property
    def outcome(self) -> Sending:
        """How far it is, whatever release has stored that."""
        return Sending.SKIPPED if self.skipped else Sending(self.state)

    @classmethod
    def of(cls, mailing: MailingRow, after: str, most: int) -> list[Self]:
        """At most so many of a mailing, by their addresses, those after one. One query, by index."""
        found = cls.select().where(cls.mailing == mailing.id, cls.address > after).order_by(cls.address)
        return list(found.limit(most))

    def begin(self, sender_id: int, limit: int) -> bool:
        """It is about to be given to the mail server. False, and nothing written, where its address is not to be mailed
        by this sender, or where they have mailed `limit` people in 24 hours. One query.

        In another transaction at the same moment one more of theirs may begin: they get past the limit by as many at
        most as they have mails that are being sent.
        """
        changes = {"state": Sending.SENDING, "error": "", "tries": self.tries + 1, "tried_at": utcnow()}
        who = {"sender": sender_id, "address": key_of(self.address), "since": since(), "limit": limit}
        if not _beginning.execute(key=self.id, **who, **changes).rowcount:
            return False
        self.__data__.update(changes)
        return True

    def settle(self, state: Sending, error: str = "") -> None:
        """What came of it."""
        self._settle(state, error, None)

    def skip(self, reason: Reason) -> None:
        """It is left out: its address is not to be mailed."""
        self._settle(Sending.REFUSED, reason.words, reason)

    def _settle(self, state: Sending, error: str, skipped: Reason | None) -> None:
        changes = {"state": state, "error": error[:300], "skipped": skipped}
        self.__data__.update(changes)
        _settling.execute(key=self.id, **changes)


# Compiled, as both run for each recipient.


@compiled
def _beginning() -> Any:
    written = params_of(Delivery.state, Delivery.error, Delivery.tries, Delivery.tried_at)
    goes = ~fn.EXISTS(suppressing(Param("address"), Param("sender"))), sent_since() < Param("limit")
    return Delivery.update(written).where(Delivery.id == Param("key"), *goes)


@compiled
def _settling() -> Any:
    written = params_of(Delivery.state, Delivery.error, Delivery.skipped)
    return Delivery.update(written).where(Delivery.id == Param("key"))
