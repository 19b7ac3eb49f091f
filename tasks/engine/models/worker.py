"""Worker: which workers the site has, and how many tasks they can run at once."""

from datetime import timedelta

from peewee import BigIntegerField, CharField, DateTimeField, IntegerField

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

    @classmethod
    def heartbeat(cls, token: str, host: str, pid: int, processes: int, believe: timedelta) -> None:
        """A worker says that it lives, and is believed for so long. Forgets those that have been silent for an hour."""
        now = utcnow()
        with database.atomic():
            cls.delete().where(cls.lives_until < now - FORGOTTEN_AFTER).execute()
            said = {cls.processes: processes, cls.heard_at: now, cls.lives_until: now + believe}
            row = said | {cls.token: token, cls.host: host[:255], cls.pid: pid, cls.started_at: now}
            cls.insert(row).on_conflict(conflict_target=(cls.token,), update=said).execute()

    @classmethod
    def leave(cls, token: str) -> None:
        """This worker is there no more."""
        with database.atomic():
            cls.delete().where(cls.token == token).execute()
