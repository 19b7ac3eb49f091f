"""Delivery: one mailing to one address, and how far it is."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self
from uuid import uuid4

from peewee import AutoField, CharField, DateTimeField, DeferredForeignKey, IntegerField, ModelSelect, fn

from webapp.db import BaseModel, CompiledQuery, Param, compiled, params_of
from webapp.lib.times import utcnow
from webapp.models.mailing.row import MailingRow

BATCH = 500  # rows in one INSERT


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
    mailing: Any = DeferredForeignKey("Mailing", backref="deliveries", on_delete="CASCADE", index=False)
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
        """How many of a mailing are in each state; those of no delivery are 0. One query."""
        return cls.counts_of([mailing])[mailing.id]

    @classmethod
    def counts_of(cls, mailings: Sequence[MailingRow]) -> dict[int, dict[Sending, int]]:
        """The same for several, by their ids. One query."""
        found = {mailing.id: dict.fromkeys(Sending, 0) for mailing in mailings}
        counted = cls.select(cls.mailing, cls.state, fn.COUNT(cls.id)).where(cls.mailing.in_(list(found)))
        rows: Any = counted.group_by(cls.mailing, cls.state).tuples()
        for mailing_id, state, number in rows:
            found[mailing_id][Sending(state)] = int(number)
        return found

    def begin(self) -> None:
        """It is about to be given to the mail server."""
        self._record(_beginning, state=Sending.SENDING, error="", tries=self.tries + 1, tried_at=utcnow())

    def settle(self, state: Sending, error: str = "") -> None:
        """What came of it."""
        self._record(_settling, state=state, error=error[:300])

    def _record(self, query: CompiledQuery, **changes: object) -> None:
        self.__data__.update(changes)
        query.execute(key=self.id, **changes)


# Compiled, as both run for each recipient.


@compiled
def _beginning() -> Any:
    written = params_of(Delivery.state, Delivery.error, Delivery.tries, Delivery.tried_at)
    return Delivery.update(written).where(Delivery.id == Param("key"))


@compiled
def _settling() -> Any:
    return Delivery.update(params_of(Delivery.state, Delivery.error)).where(Delivery.id == Param("key"))
