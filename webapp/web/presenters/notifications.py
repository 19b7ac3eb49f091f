"""Where a notification leads to."""

from collections.abc import Callable

from flask import url_for

from webapp.models import Notification
from webapp.models.notification_kinds import TASK_PROGRESS

Address = Callable[[Notification], str]

_ADDRESSES: dict[str, Address] = {}


def leads_to(subject: str) -> Callable[[Address], Address]:
    """Let that function say where a notification about such a subject leads to. Beside the page that it leads to."""

    def register(address: Address) -> Address:
        _ADDRESSES[subject] = address
        return address

    return register


def address_of(notification: Notification) -> str:
    """The address of what a listed notification is about; of the list, if nothing here shows such a subject.

    No query where it was found by `Notification.of`.
    """
    address = _ADDRESSES.get(notification.name)
    return address(notification) if address else url_for("notifications.index")


@leads_to(TASK_PROGRESS)
def _of_task(notification: Notification) -> str:
    return url_for("tasks.show", task_id=notification.task_id)
