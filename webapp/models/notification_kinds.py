"""Notification kinds: the one table of what people are told.

The settings, the list, its icon, its badge and the emails about tasks follow from a row. A subject other than a task or
a conversation also needs an address (`leads_to`), and a channel by email something that sends it.
`Notification` tells it in the transaction of what it is about.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.engine.models.actor import reason_of_cancel
from tasks.engine.models.row import TaskRow
from webapp.lib.phrases import Argument, Phrase, Wording, Words, phrase
from webapp.models.permissions import Account, Action, may

# The subjects of notifications; a row has one as its name.
TASK_PROGRESS = "task_progress"  # a task
CONVERSATION = "conversation"  # the messages of one sender
UNREAD_MESSAGE_COUNT = "unread_message_count"
DELETED_TASK = "deleted_task"  # what an operator has deleted: a task that is no more
SITE_ALERTS = "site_alerts"  # what is wrong with the site, for those who look after it
SIGN_INS = "sign_ins"  # those from browsers that the account does not know

# The channels offered, by their names in `notification_preferences.CHANNELS`. The others there come from settings of an
# earlier release: whoever has one keeps it.
AFTER_A_WHILE = ("app", "mail", "mail-1", "mail-5", "mail-30", "only", "off")
AT_ONCE = ("app", "mail", "only", "off")  # of what takes no time
HERE = ("app", "off")  # of what no email is about
ALWAYS = ("app",)  # of what nobody may miss; an email about that is an `AccountMail`, which goes out whatever is chosen


@dataclass(frozen=True)
class NotificationKind:
    """A row of KINDS. Rows of the database and settings keep its name."""

    name: str
    label: str  # in the settings
    icon: str
    words: Wording  # of {subject}, the title of a task, a user name, or a browser in words
    subject: str = TASK_PROGRESS  # and so where it leads to
    channels: tuple[str, ...] = AFTER_A_WHILE
    channel: str = "app"  # of whoever has chosen none
    detailed: Wording | None = None  # instead, where there is a {detail} to tell
    detail: Callable[[TaskRow], Words] | None = None  # of the end of a task, if it is about one
    mailed: str = ""  # of the end of a task: what an email says of it after its title
    mail_subject: str = ""  # of such an email, if it is about one task; without what anybody typed
    needs: Action | None = None  # none but those who may do that hear of it
    has_own_badge: bool = False  # so the badge of notifications does not count it

    @property
    def can_be_chosen(self) -> bool:
        """Whether there is more than one channel for it."""
        return len(self.channels) > 1

    def is_for(self, user: Account) -> bool:
        """Whether somebody may hear of it. No query."""
        return self.needs is None or may(user, self.needs)

    def phrase(self, subject: Argument, detail: Argument = None) -> Phrase:
        """What the notification says."""
        if detail and self.detailed:
            return self.detailed(subject=subject, detail=detail)
        return self.words(subject=subject)


MESSAGE = NotificationKind(
    "message",
    label="New message",
    icon="message-circle",
    words=phrase("notification.message", "{subject} wrote to you"),
    subject=CONVERSATION,
    channels=AT_ONCE,
    has_own_badge=True,
)
SUCCEEDED = NotificationKind(
    "succeeded",
    label="Task finished",
    icon="circle-check",
    words=phrase("notification.succeeded", "{subject} finished"),
    mailed="finished",
    mail_subject="A task has finished",
)
FAILED = NotificationKind(
    "failed",
    label="Task failed",
    icon="circle-alert",
    words=phrase("notification.failed", "{subject} failed"),
    detailed=phrase("notification.failed_because", "{subject}: {detail}"),
    detail=lambda task: task.own_error,
    mailed="failed",
    mail_subject="A task has failed",
)
CANCELED = NotificationKind(
    "canceled",
    label="Task canceled by an operator",
    icon="ban",
    words=phrase("notification.canceled", "An operator canceled {subject}"),
    detailed=phrase("notification.canceled_because", "An operator canceled {subject}: {detail}"),
    detail=reason_of_cancel,
    mailed="was canceled by an operator",
    mail_subject="A task was canceled",
)
DELETED = NotificationKind(
    "deleted",
    label="Task deleted by an operator",
    icon="trash-2",
    words=phrase("notification.deleted", "An operator deleted {subject}"),
    subject=DELETED_TASK,
    channels=HERE,
    detailed=phrase("notification.deleted_because", "An operator deleted {subject}: {detail}"),
)
MAIL = NotificationKind(
    "mail",
    label="Email sent",
    icon="mail",
    words=phrase("notification.mail", "{subject} was sent"),
    detailed=phrase("notification.mail_counted", "{subject} was sent: {detail}"),
    detail=lambda task: str(task.result or ""),
    mailed="was sent",
    mail_subject="Your email was sent",
)

SIGN_IN = NotificationKind(
    "sign_in",
    label="Sign-in from a new browser",
    icon="log-in",
    words=phrase("notification.sign_in", "New sign-in: {subject}"),
    subject=SIGN_INS,
    channels=ALWAYS,
)

SITE_ALERT = NotificationKind(
    "site_alert",
    label="Alerts of the site",
    icon="activity",
    words=phrase("notification.site_alert", "Alert: {subject}"),
    subject=SITE_ALERTS,
    channels=AT_ONCE,
    channel="mail",
    needs=Action.VIEW_DESK,
)

_IN_THE_ORDER_OF_SETTINGS = (
    MESSAGE,
    SUCCEEDED,
    FAILED,
    CANCELED,
    DELETED,
    MAIL,
    SIGN_IN,
    SITE_ALERT,
)
KINDS = {kind.name: kind for kind in _IN_THE_ORDER_OF_SETTINGS}
# What stands for a kind that only a later release has.
UNKNOWN = NotificationKind("", label="", icon="bell", words=phrase("notification.unknown", "{subject}"))
