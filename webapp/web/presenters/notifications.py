"""Where a notification leads to."""

from collections.abc import Callable

from flask import url_for

from webapp.models import Notification
from webapp.models.notification_kinds import CONVERSATION, TASK_PROGRESS


def _of_task(notification: Notification) -> str:
    return url_for("tasks.show", task_id=notification.task_id)


def _of_conversation(notification: Notification) -> str:
    return url_for("messages.show", username=getattr(notification.sender, "username", ""), _anchor="composer")


# By its subject.
_ADDRESSES: dict[str, Callable[[Notification], str]] = {TASK_PROGRESS: _of_task, CONVERSATION: _of_conversation}


def address_of(notification: Notification) -> str:
    """The address of what a listed notification is about. No query where it was found by `Notification.of`."""
    return _ADDRESSES[notification.name](notification)
