"""Worker: which workers the site has, how many tasks they can run at once, and which of them are to claim no more."""

from datetime import timedelta
from typing import Self

from peewee import BigIntegerField, CharField, DateTimeField, IntegerField, ModelSelect

from webapp.db import BaseModel, database
from webapp.lib.times import utcnow

FORGOTTEN_AFTER = timedelta(hours=1)


class Worker(BaseModel):
    """A worker with its processes. It says every few seconds that it lives, and until when to believe that."""

    token = CharField(primary_key=True, max_length=32)
    host = CharField(max_length=255)
    pid = IntegerField()
    processes = IntegerField(help_text="how many tasks it can run at once")
    started_at = DateTimeField(default=utcnow)
    heard_at = DateTimeField(default=utcnow)
    lives_until = DateTimeField(help_text="unless it is heard again")
    release = CharField(max_length=40, null=True, help_text="a name for what it runs")
    memory = BigIntegerField(null=True, help_text="bytes that all its processes have")
    quiet_at = DateTimeField(null=True, help_text="since when it is to claim no more")

    class Meta:
        indexes = ((("lives_until",), False),)

    @property
    def name(self) -> str:
        """What a log calls it."""
        return f"{self.host}:{self.pid}"

    @property
    def hears_of_quiet(self) -> bool:
        """Whether it asks if it is to be quiet: a release from before that does not, and says nothing of itself."""
        return self.release is not None or self.memory is not None

    @property
    def is_alive(self) -> bool:
        """Whether it is to be believed that it lives."""
        return bool(self.lives_until > utcnow())

    @classmethod
    def heartbeat(
        cls,
        token: str,
        host: str,
        pid: int,
        processes: int,
        believe: timedelta,
        *,
        release: str | None = None,
        memory: int | None = None,
        is_quiet: bool = False,
    ) -> bool:
        """A worker says that it lives, and is believed for so long. Forgets those that have been silent for an hour.

        Returns whether it is quiet; one that was forgotten meanwhile stays as it `is_quiet`. Two statements.
        """
        now = utcnow()
        with database.atomic():
            cls.delete().where(cls.lives_until < now - FORGOTTEN_AFTER).execute()
            said = {cls.processes: processes, cls.heard_at: now, cls.lives_until: now + believe}
            said |= {cls.release: release, cls.memory: memory}
            row = said | {cls.token: token, cls.host: host[:255], cls.pid: pid, cls.started_at: now}
            row[cls.quiet_at] = now if is_quiet else None
            saying = cls.insert(row).on_conflict(conflict_target=(cls.token,), update=said).returning(cls.quiet_at)
            [(quiet_at,)] = database.execute(saying).fetchall()
        return quiet_at is not None

    @classmethod
    def leave(cls, token: str) -> None:
        """This worker is there no more."""
        with database.atomic():
            cls.delete().where(cls.token == token).execute()

    @classmethod
    def alive(cls) -> "ModelSelect[Self]":
        """Those that are to be believed that they live, the longest running first."""
        return cls.select().where(cls.lives_until > utcnow()).order_by(cls.started_at, cls.token)

    @classmethod
    def known(cls, silent_for: timedelta, limit: int) -> "ModelSelect[Self]":
        """Those, and those that were heard no longer ago than that; by host and process."""
        now = utcnow()
        are_known = (cls.lives_until > now) | (cls.heard_at > now - silent_for)
        return cls.select().where(are_known).order_by(cls.host, cls.pid, cls.token).limit(limit)

    @classmethod
    def find(cls, token: str) -> Self | None:
        """The worker of a token, unless it is forgotten. One query."""
        return cls.get_or_none(cls.token == token)

    def quiet(self) -> bool:
        """Let it claim no more tasks, from when it is heard the next time.

        False if it was quiet, or is forgotten, or does not hear of that.
        """
        return self.hears_of_quiet and self._turn(quiet=True)

    def resume(self) -> bool:
        """Let it claim tasks again, from when it is heard the next time. False if it did, or is forgotten."""
        return self._turn(quiet=False)

    def _turn(self, *, quiet: bool) -> bool:
        model, at = type(self), utcnow() if quiet else None
        changed = model.update(quiet_at=at).where(model.token == self.token, model.quiet_at.is_null(quiet)).execute()
        if changed:
            self.quiet_at = at
        return bool(changed)
