"""FormerName: a user name that somebody had before, which goes on leading to them for a while."""

from datetime import timedelta
from typing import Any

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField

from tasks.engine.retention import also_purge
from webapp.db import BaseModel
from webapp.lib.times import utcnow
from webapp.models.user_row import UserRow
from webapp.models.usernames import skeleton

LEADS_ON = timedelta(days=90)


class FormerName(BaseModel):
    """A name leads on from when its owner gave it up, for LEADS_ON; until then nobody else gets it, or one like it.

    One row a name: a row that has ended gives way to whoever gives up the same name later.
    """

    id = AutoField()
    user = ForeignKeyField(UserRow, on_delete="CASCADE", backref="+")
    user_id: int
    key = CharField(max_length=30, unique=True, help_text="as `users.username_key` was")
    skeleton = CharField(max_length=30, index=True)
    until = DateTimeField(index=True, help_text="when it leads nowhere any more, and may be anybody's")

    class Meta:
        table_name = "former_names"

    @classmethod
    def give_up(cls, user_id: int, key: str) -> None:
        """Let a name lead on to who had it until now; in the transaction in which they get another. One write."""
        row = {cls.user: user_id, cls.skeleton: skeleton(key), cls.until: utcnow() + LEADS_ON}
        cls.insert({cls.key: key, **row}).on_conflict(conflict_target=(cls.key,), update=row).execute()

    @classmethod
    def take_back(cls, user_id: int, key: str) -> None:
        """Have a name be no former one of theirs, as it is the present one again. One write."""
        cls.delete().where(cls.user == user_id, cls.key == key).execute()

    @classmethod
    def owner_of(cls, key: str) -> int | None:
        """The id of the account that a name leads on to, or None. One query, by index."""
        found: int | None = cls.select(cls.user).where(cls.key == key, cls.leads_on()).scalar()
        return found

    @classmethod
    def leads_on(cls) -> Any:
        """Whether a name still leads on, for queries."""
        return cls.until > utcnow()

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that lead nowhere any more; returns how many that were."""
        old = cls.select(cls.id).where(~cls.leads_on()).order_by(cls.until).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


also_purge(FormerName, FormerName.purge)
