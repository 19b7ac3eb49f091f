"""Leader: which one of several processes does a work that only one should do at a time."""

from datetime import timedelta
from typing import Self

from peewee import CharField, DateTimeField, IntegrityError

from webapp.db import BaseModel, database
from webapp.lib.times import utcnow


class Leader(BaseModel):
    """A role, and who has it until when. It is held by renewing it, and free once that has stopped."""

    role = CharField(primary_key=True, max_length=40)
    token = CharField(max_length=32)
    until = DateTimeField()

    @classmethod
    def hold(cls, role: str, token: str, lease: timedelta) -> bool:
        """Whether `token` has the role for as long as `lease` from now. One read, and one write if it may have it.

        A lease that ends later than any could is from before the clock stepped back: it is taken for free.
        """
        now = utcnow()
        found = cls.get_or_none(cls.role == role)
        if found is None:
            return cls._take_first(role, token, now + lease)
        if found.token != token and now <= found.until <= now + 2 * lease:
            return False
        with database.atomic():
            taken = cls.update(token=token, until=now + lease).where(cls._is(found)).execute()
        return bool(taken)

    @classmethod
    def resign(cls, role: str, token: str) -> None:
        """Let another have the role at once."""
        with database.atomic():
            cls.delete().where(cls.role == role, cls.token == token).execute()

    @classmethod
    def _take_first(cls, role: str, token: str, until: object) -> bool:
        try:
            with database.atomic():
                cls.insert(role=role, token=token, until=until).execute()
        except IntegrityError:
            return False
        return True

    @classmethod
    def _is(cls, found: Self) -> object:
        """Nobody has written it since it was read."""
        return (cls.role == found.role) & (cls.token == found.token) & (cls.until == found.until)
