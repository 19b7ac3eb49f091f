"""UserChannels: the channel by which a person hears of each kind of notice."""

from typing import Any, Self

from webapp.db import Param, compiled
from webapp.models.notification_preferences import CHANNELS, Channel, NoticeKind, channel_of
from webapp.models.user_row import UserRow, UserTrait


class UserChannels(UserTrait):
    """The notification preferences of a `User`."""

    @classmethod
    def listening(cls, user_id: int) -> Self:
        """The account with its notification preferences and email address only.

        One query, compiled: it runs with every end of every task.
        """
        found = _listening.execute(user_id=user_id).fetchone()
        return cls(id=found[0], email=found[1], hearing=cls.hearing.python_value(found[2]), mail_after=found[3])

    def channel_for(self, kind: str) -> str:
        """The name in CHANNELS of this person's channel for a kind of notice."""
        return channel_of(kind, self.hearing, self.mail_after)

    def hears(self, kind: str) -> Channel:
        """This person's channel for a kind of notice."""
        return CHANNELS[self.channel_for(kind)]

    def wants_email_about(self, kind: str, worked: float = 0.0) -> bool:
        """Whether to email them a notice of that kind, about a task that worked for so many seconds."""
        after = self.hears(kind).mail_after
        return bool(self.email) and after is not None and worked >= after * 60

    @property
    def wants_mail(self) -> bool:
        """Whether they chose email for any kind of notice, with or without an address."""
        return any(self.hears(kind).mail_after is not None for kind in NoticeKind)

    def hear(self, ways: dict[str, str]) -> None:
        """Save their channel for each kind of notice, by its name in CHANNELS."""
        self.hearing, self.mail_after = ways, None
        self.save(only=["hearing", "mail_after"])


@compiled
def _listening() -> Any:
    wanted = UserRow.id, UserRow.email, UserRow.hearing, UserRow.mail_after
    return UserRow.select(*wanted).where(UserRow.id == Param("user_id"))
