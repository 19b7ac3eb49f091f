"""Notification preferences: the channels by which a person may hear of each kind of notification."""

from dataclasses import dataclass

from webapp.models.notification_kinds import TASK_PROGRESS, NotificationKind


@dataclass(frozen=True)
class Channel:
    """`here` if it stands in the notification centre; by mail, too, from so many minutes of work; None is never."""

    words: str
    here: bool = True
    mail_after: int | None = None


# By the name with which `User.hearing` keeps them; the release before knows app, mail and off.
CHANNELS = {
    "app": Channel("In app"),
    "mail": Channel("In app and by email", mail_after=0),
    "mail-1": Channel("In app, and by email if it took over a minute", mail_after=1),
    "mail-5": Channel("In app, and by email if it took over 5 minutes", mail_after=5),
    "mail-30": Channel("In app, and by email if it took over 30 minutes", mail_after=30),
    "only": Channel("By email only", here=False, mail_after=0),
    "only-1": Channel("By email only, if it took over a minute", here=False, mail_after=1),
    "only-5": Channel("By email only, if it took over 5 minutes", here=False, mail_after=5),
    "only-30": Channel("By email only, if it took over 30 minutes", here=False, mail_after=30),
    "off": Channel("Off", here=False),
}


def channels_for(kind: NotificationKind, present: str) -> dict[str, str]:
    """What may be chosen for a kind, by name, in words; the present channel is among them."""
    return {name: channel.words for name, channel in CHANNELS.items() if name in {*kind.channels, present}}


def channel_of(kind: NotificationKind, chosen: dict[str, str] | None, mail_after: int | None) -> str:
    """The name of the channel for a kind of notification.

    `chosen` is what somebody chose for each kind. `mail_after` is an older setting for all tasks, in minutes of work,
    and still holds: they are mailed if either setting asks for it.
    """
    name = (chosen or {}).get(kind.name, kind.channel) if kind.can_be_chosen else kind.channels[0]
    channel = CHANNELS.get(name)
    if channel is None:  # of a later release
        return kind.channel
    adds = mail_after is not None and kind.subject == TASK_PROGRESS
    if mail_after is None or not adds or _is_after(channel, mail_after):
        return name
    fitting = [name for name, other in CHANNELS.items() if other.here == channel.here and _is_after(other, mail_after)]
    return fitting[-1]


def _is_after(channel: Channel, minutes: int) -> bool:
    return channel.mail_after is not None and channel.mail_after <= max(0, minutes)
