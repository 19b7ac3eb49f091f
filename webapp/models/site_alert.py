"""SiteAlert: something is wrong with the site, and for how long; for those who look after it.

Not to be taken for what `webapp.models.alerts` has: there, an alert is a task of one's own, beside every page. This one
is called a *site alert* wherever both could be meant, and *alert* at the desk.

Once a minute each rule of RULES is judged, see `webapp.models.site_health`. An alert fires after BAD_MINUTES in a row
and clears after GOOD_MINUTES, so what comes and goes does neither. Each minute is judged once, whoever else does it.

Of both there is news, so that whoever was told that it fires hears that it is over, and how long it was not. One that
comes back within QUIET_FOR after that is about to come and go: its next clearing is told only once it has been good for
CALM more, and what happens meanwhile goes on from before. So it makes news six times an hour at most.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self

from peewee import CharField, DateTimeField, DoubleField, IntegerField

from tasks.engine import registry
from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow
from webapp.models.site_alert_news import Cleared, News
from webapp.models.site_alert_rules import RULES, Measured, Rule

BAD_MINUTES, GOOD_MINUTES = 2, 5
QUIET_FOR = timedelta(hours=1)  # after a mail about one, before there is another; after its clearing was told
CALM = timedelta(minutes=15)
KEPT = timedelta(days=7)  # after it was judged last
SET_BACK = timedelta(minutes=5)  # by this much, the clock was set back since: what is later still is believed


class SiteAlert(BaseModel):
    """One rule about one thing, since it was broken for the first time. It fires while `fired_at` is set."""

    key = CharField(primary_key=True, max_length=100)
    rule = CharField(max_length=20, help_text="in Rule")
    subject = CharField(max_length=60, default="", help_text="the kind; empty where it is about the whole site")
    minute = DateTimeField(index=True, help_text="the latest that was judged")
    bad = IntegerField(default=0, help_text="minutes in a row")
    good = IntegerField(default=0, help_text="minutes in a row")
    since = DateTimeField(null=True, help_text="the first of the bad minutes, until its clearing is told")
    fired_at = DateTimeField(null=True, index=True)
    cleared_at = DateTimeField(null=True, help_text="when it did; null once that is told, or it fires again")
    over_at = DateTimeField(null=True, help_text="when its clearing was told last")
    value = DoubleField(help_text="of the latest bad minute")
    allowed = DoubleField()
    due_at = DateTimeField(null=True, help_text="when a mail is to tell of it; null where none is")
    quiet_until = DateTimeField(null=True, help_text="no mail before")

    class Meta:
        table_name = "site_alerts"

    @property
    def words(self) -> Phrase:
        """What is wrong."""
        function = registry.functions.get(self.subject)
        subject = function.label if function else self.subject
        number = self.value if self.rule != Rule.FAILURE_SHARE else round(self.value)
        return RULES[Rule(self.rule)].words(subject=subject, value=number, limit=self.allowed)

    @property
    def page(self) -> str:
        """The page of the desk where one acts, below /desk."""
        return RULES[Rule(self.rule)].page

    @classmethod
    def firing(cls) -> list[Self]:
        """Those that fire, the first one first. One query, by index; those of a later release are left out."""
        known = cls.rule.in_([rule.value for rule in Rule])
        return list(cls.select().where(cls.fired_at.is_null(False), known).order_by(cls.fired_at, cls.key))

    # Judging

    @classmethod
    def judge(cls, rules: Iterable[Rule], found: Iterable[Measured], now: datetime) -> News:
        """Judge the minute of `now` by these rules, and by all that was found of them; returns what is to be told.

        What was bad and is not found any more is good. A minute that somebody else has judged is left alone. For a
        transaction of the caller, who tells. One query, and a write for each that is bad or was.
        """
        minute, news = now.replace(second=0, microsecond=0), News()
        measured = {each.key: each for each in found}
        is_under_way = (cls.bad > 0) | cls.fired_at.is_null(False) | cls.cleared_at.is_null(False)
        bad = [key for key, each in measured.items() if each.is_bad]
        ours = cls.rule.in_([rule.value for rule in rules]) & is_under_way
        rows = {row.key: row for row in cls.select().where(ours | cls.key.in_(bad))}
        for key in sorted(rows.keys() | set(bad)):  # one order for all that lock
            cls._judge(rows.get(key), measured.get(key), minute, now, news)
        return news

    @classmethod
    def _judge(cls, row: Self | None, found: Measured | None, minute: datetime, now: datetime, news: News) -> None:
        if row is None:
            if found and found.is_bad:
                first = {"key": found.key, "rule": found.rule, "subject": found.subject, "minute": minute, "bad": 1}
                first |= {"since": minute, "value": found.value, "allowed": found.limit}
                cls.insert(first).on_conflict_ignore().execute()
            return
        if timedelta(0) <= row.minute - minute <= SET_BACK:
            return
        is_bad = found is not None and found.is_bad
        changed = row._if_bad(found, now) if found and is_bad else row._if_good(now)
        changed |= {"minute": minute, "since": changed.get("since", row.since or minute if is_bad else row.since)}
        if not cls.update(**changed).where(cls.key == row.key, cls.minute == row.minute).execute():
            return
        if changed.get("fired_at") and row.cleared_at is None:
            news.fired.append(cls.get_by_id(row.key).words)
        if changed.get("over_at"):
            news.cleared.append(Cleared(row.words, row._lasted(minute, changed["good"])))

    # What a minute changes; what a mail has changed since this was read stays, unless it fires or clears.

    def _if_bad(self, found: Measured, now: datetime) -> dict[str, Any]:
        changed: dict[str, Any] = {"bad": self.bad + 1, "good": 0, "value": found.value, "allowed": found.limit}
        if self.bad + 1 >= BAD_MINUTES and self.fired_at is None:
            changed |= {"fired_at": now, "cleared_at": None, "due_at": max(now, self.quiet_until or now)}
        return changed

    def _if_good(self, now: datetime) -> dict[str, Any]:
        changed: dict[str, Any] = {"bad": 0, "good": self.good + 1}
        if self.fired_at and self.good + 1 < GOOD_MINUTES:
            return changed
        cleared_at = now if self.fired_at else self.cleared_at
        if cleared_at is None:
            return changed | {"since": None}
        if self.fired_at:
            changed |= {"fired_at": None, "due_at": None, "cleared_at": now}
        comes_and_goes = self.over_at is not None and cleared_at - self.over_at < QUIET_FOR
        if now - cleared_at >= (CALM if comes_and_goes else timedelta(0)):
            changed |= {"cleared_at": None, "over_at": now, "since": None}
        return changed

    def _lasted(self, minute: datetime, good: int) -> timedelta:
        """From the first bad minute to the end of the last one, so many good ones ago."""
        since = self.since or minute
        return max(timedelta(minutes=1), minute - since - timedelta(minutes=good - 1))

    # Mailing

    @classmethod
    def is_mail_due(cls) -> bool:
        """Whether a mail is to tell of any. One query, by index."""
        return bool(cls._due(utcnow()).exists())

    @classmethod
    def claim_due(cls) -> list[Self]:
        """Take it upon oneself to tell of all that are due, before telling; those that somebody else has are left out.

        What is claimed by a process that dies then is not told by mail: one too few, and never one too many. It stands
        at the desk and among the notifications all the same. A write for each.
        """
        now = utcnow()
        with database.transaction():
            return [row for row in cls._due(now).order_by(cls.key) if row._claim(now)]

    def _claim(self, now: datetime) -> bool:
        is_as_read = type(self).key == self.key, type(self).due_at == self.due_at
        claimed = type(self).update(due_at=None, quiet_until=now + QUIET_FOR).where(*is_as_read)
        return bool(claimed.execute())

    @classmethod
    def put_off(cls, alerts: Iterable[Self], by: timedelta) -> None:
        """These could not be told; they are to be told later, if they fire by then. Call it on what was claimed."""
        keys = [alert.key for alert in alerts]
        still = cls.key.in_(keys), cls.fired_at.is_null(False)
        cls.update(due_at=utcnow() + by).where(*still).execute()

    @classmethod
    def _due(cls, now: datetime) -> Any:
        return cls.select().where(cls.fired_at.is_null(False), cls.due_at <= now)

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that have not been judged for KEPT; returns how many that were."""
        old = cls.select(cls.key).where(cls.minute < utcnow() - KEPT).order_by(cls.minute).limit(at_once)
        return int(cls.delete().where(cls.key.in_(old)).execute())


also_purge(SiteAlert, SiteAlert.purge)
