"""UserChannels: the channel by which a person hears of each kind of notification."""

from typing import Any, Self

from webapp.db import Param, compiled
from webapp.models.notification_kinds import KINDS, NotificationKind
from webapp.models.notification_preferences import CHANNELS, Channel, channel_of
from webapp.models.user_row import UserRow, UserTrait


class UserChannels(UserTrait):
    """The notification preferences of a `User`."""

    @classmethod
    def listening(cls, user_id: int) -> Self:
        """The account with its notification preferences and email address only.

        One query, compiled: it runs with every end of every task.
        """
        found = _listening.execute(user_id=user_id).fetchone()
        hearing = cls.hearing.python_value(found[2])  # type: ignore[no-untyped-call]  # Peewee's
        owner = cls(__no_default__=True)
        owner.__data__ = {"id": found[0], "email": found[1], "hearing": hearing, "mail_after": found[3]}
        return owner

    def channel_for(self, kind: NotificationKind) -> str:
        """The name in CHANNELS of this person's channel for a kind of notification."""
        return channel_of(kind, self.hearing, self.mail_after)

    def hears(self, kind: NotificationKind) -> Channel:
        """This person's channel for a kind of notification."""
        return CHANNELS[self.channel_for(kind)]

    def wants_email_about(self, kind: NotificationKind, worked: float = 0.0) -> bool:
        """Whether to email them about that kind, of a task that worked for so many seconds."""
        after = self.hears(kind).mail_after
        return bool(self.email) and after is not None and worked >= after * 60

    @property
    def wants_mail(self) -> bool:
        """Whether they chose email for any kind of notification, with or without an address."""
        return any(self.hears(kind).mail_after is not None for kind in KINDS.values() if kind.is_for(self))

    def hear(self, ways: dict[str, str]) -> None:
        """Save their channel for each kind of notification, by its name in CHANNELS."""
        self.hearing, self.mail_after = ways, None
        self.save(only=["hearing", "mail_after"])


@compiled
def _listening() -> Any:
    wanted = UserRow.id, UserRow.email, UserRow.hearing, UserRow.mail_after
    return UserRow.select(*wanted).where(UserRow.id == Param("user_id"))
