"""The daily limit as it is known when a mail is submitted: what was sent, and what is to be sent by then."""

from datetime import datetime

from peewee import fn

from tasks.engine.models.state import ACTIVE
from tasks.engine.models.task import Task
from webapp.db import Untyped
from webapp.lib.times import utcnow
from webapp.models.mailing.delivery import UNSETTLED, Delivery
from webapp.models.mailing.mail_count import DAY, MailCount
from webapp.models.mailing.row import MailingRow


class OverLimit(Exception):
    """More recipients than a person may mail in 24 hours. `limit` is how many, `used` how many of these are taken."""

    def __init__(self, limit: int, used: int, wanted: int) -> None:
        super().__init__(f"{wanted} more after {used} of {limit}")
        self.limit, self.used, self.wanted = limit, used, wanted


def demand_within_limit(mailing: MailingRow, wanted: int, limit: int, send_at: datetime | None) -> None:
    """Raise OverLimit if, by what is known now, with this mail more would go within some 24 hours than its sender may
    send. Under `User.hold`, so that no two at once are let by. Two queries.

    What is known may change until then: so it is counted again as each is sent, see `Delivery.begin`.
    """
    now = utcnow()
    at = max(send_at or now, now)
    known = MailCount.sent_by(mailing.user_id) + _planned(mailing, at, now)
    ends = [at, *(time for time, _ in known if at < time < at + DAY)]
    used = max(sum(number for time, number in known if end - DAY < time <= end) for end in ends)
    if used + wanted > limit:
        raise OverLimit(limit, used, wanted)


def _planned(but: MailingRow, at: datetime, now: datetime) -> list[tuple[datetime, int]]:
    """When, within a day of a time, that mail's sender is to mail how many people with all other mails of theirs."""
    row = type(but)
    mine = row.user == but.user_id, row.id != but.id, row.draft_key.is_null(), Task.state.in_(sorted(ACTIVE))
    near = (Task.run_at > at - DAY) & (Task.run_at < at + DAY)
    if at < now + DAY:
        near |= Task.run_at.is_null() | (Task.run_at <= now)  # it is being sent, or about to be
    left = row.select(Task.run_at, fn.COUNT(Delivery.id)).join(Task).switch(row)
    left = left.join(Delivery, on=(Delivery.mailing == row.id)).where(*mine, near, Delivery.state.in_(UNSETTLED))
    rows: Untyped = left.group_by(row.id, Task.run_at).tuples()
    return [(max(run_at or now, now), int(number)) for run_at, number in rows]
