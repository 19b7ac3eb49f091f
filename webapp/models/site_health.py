"""Site health: what the rules of site alerts find, and who is told as one fires.

The leading sweeper looks at all rules once a minute (`tasks.watch_site`). Where none has worked lately, nobody would
notice: so each web process looks at ELSEWHERE (`webapp.web.site_watch`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tasks.engine.config import config
from tasks.engine.leadership import ROLE
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.leader import Leader
from webapp.db import database
from webapp.lib.alert_variables import AlertLimits
from webapp.lib.times import utcnow
from webapp.models import statistics
from webapp.models.account_mail import AccountMail
from webapp.models.notification import Notification
from webapp.models.notification_kinds import SITE_ALERT
from webapp.models.site_alert import SiteAlert
from webapp.models.site_alert_news import News
from webapp.models.site_alert_rules import Measured, Rule
from webapp.models.staff import staff
from webapp.models.statistics.counts import ALL_KINDS, LineMinute

SHARE_OF = timedelta(minutes=10)  # the failure share is of what ended in so long
SAMPLED = timedelta(minutes=2)  # a look at the line that is older says nothing of now
SWEPT = timedelta(seconds=30)  # for so long after its lease a leader may be about to be replaced
ELSEWHERE = (Rule.NO_SWEEP, Rule.NO_WORKER)

_limits = AlertLimits()


def configure(limits: AlertLimits) -> None:
    """How bad things may be before an alert fires."""
    global _limits
    _limits = limits


def look(sends_mail: bool, now: datetime | None = None) -> News:
    """Judge this minute by all rules, and tell of what fires and what clears; returns that. For the leading sweeper.

    Six reads of a few rows each, a write for each alert, and two for each person who is told.
    """
    now = now or utcnow()
    found = [*_waits(now), *_failures(now), *_workers(now), *(_mails(now) if sends_mail else ())]
    return _judge(tuple(Rule), found, now)


def look_from_elsewhere(now: datetime | None = None) -> bool:
    """Judge this minute by ELSEWHERE, if no sweeper works; returns whether none does. Usually one small read."""
    now = now or utcnow()
    if has_sweeper(now):
        return False
    _judge(ELSEWHERE, [Measured(Rule.NO_SWEEP, 1, 0), *_workers(now)], now)
    return True


def has_sweeper(now: datetime) -> bool:
    """Whether a sweeper leads, or did a moment ago. One read."""
    until = _led_until()
    return until is not None and until >= now - SWEPT


def swept_at() -> datetime | None:
    """About when a sweeper worked last; None where none has, or has gone in good order. One read."""
    until = _led_until()
    return until - config().lead_for if until else None


def _led_until() -> datetime | None:
    leader = Leader.get_or_none(Leader.role == ROLE)
    return leader.until if leader else None


def _judge(rules: tuple[Rule, ...], found: list[Measured], now: datetime) -> News:
    with database.transaction():
        news = SiteAlert.judge(rules, found, now)
        if news:
            said = news.words(len(SiteAlert.firing()))
            for person in staff():
                Notification.tell(person, SITE_ALERT, said)
    return news


def _waits(now: datetime) -> Iterator[Measured]:
    """The oldest wait of each kind at the latest look at the line; of one that is paused, nobody minds."""
    limit = _limits.oldest_wait
    if not limit:
        return
    paused = {control.name for control in KindControl.all() if control.is_paused}
    latest = LineMinute.select().where(LineMinute.at > now - SAMPLED).order_by(LineMinute.at)
    for row in {row.kind: row for row in latest}.values():
        if row.kind != ALL_KINDS and row.kind not in paused:
            yield Measured(Rule.OLDEST_WAIT, row.oldest_wait, limit, row.kind)


def _failures(now: datetime) -> Iterator[Measured]:
    """The failure share of each kind of which enough have ended lately."""
    if not _limits.failure_percent:
        return
    for kind, numbers in statistics.by_kind(now - SHARE_OF, now).items():
        share = numbers.failure_share
        if share is not None and numbers.count >= _limits.failure_least:
            # A limit of 100 would never be passed: at it, all have failed.
            yield Measured(Rule.FAILURE_SHARE, share * 100, min(_limits.failure_percent, 99.9), kind)


def _workers(now: datetime) -> Iterator[Measured]:
    """Whether there is a worker that takes tasks."""
    yield Measured(Rule.NO_WORKER, 0 if statistics.capacity(now).workers else 1, 0)


def _mails(now: datetime) -> Iterator[Measured]:
    """For how long the oldest mail about an account has been waiting. By index."""
    if not _limits.mail_wait:
        return
    oldest = AccountMail.select(AccountMail.created_at).order_by(AccountMail.created_at).limit(1).scalar()
    if oldest:
        yield Measured(Rule.MAIL_FAILING, (now - oldest).total_seconds(), _limits.mail_wait)
