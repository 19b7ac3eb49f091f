"""What the owner of a task hears of it: its own record, how it has ended in the notification center, the email; and
that an operator has deleted it."""

from tasks.engine.models.actor import current, operator_canceled
from tasks.engine.models.observers import after_removal, on_change_before_end, on_finish, on_refresh, on_removal
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.models.notification import Notification
from webapp.models.notification_kinds import CANCELED, DELETED, FAILED, SUCCEEDED, NotificationKind
from webapp.models.outcome_mail import OutcomeMail
from webapp.models.user import User

_KINDS_OF_SUCCESS: dict[str, NotificationKind] = {}


def tell_success_as(kind: NotificationKind, name: str) -> None:
    """Let the success of the tasks of a task function be told as that kind. Beside the function, as it is imported."""
    _KINDS_OF_SUCCESS[name] = kind


def kind_of_end(task: TaskRow) -> NotificationKind:
    """What a notification or an email about the end of a task is about, unless its owner canceled it."""
    if task.state == State.CANCELED:
        return CANCELED
    return FAILED if task.state == State.FAILED else _KINDS_OF_SUCCESS.get(task.name, SUCCEEDED)


@on_change_before_end
def record_progress(task: TaskRow) -> None:
    """Keep the task's own record up to date. The news of a child come with those of its workflow."""
    if task.is_shown:
        Notification.put_progress(task)


@on_finish
def notify_of_end(task: TaskRow) -> None:
    """Keep its record up to date, list its end in the notification center, and let it be emailed, as its owner prefers.

    Nothing about what they canceled themselves, nor about each child of a workflow.
    """
    if task.state == State.CANCELED and not (task.is_shown and operator_canceled(task)):
        record_progress(task)
    elif task.is_shown:
        kind, owner = kind_of_end(task), User.listening(task.user_id)
        said = kind.phrase(task.own_title, kind.detail(task) if kind.detail else None)
        Notification.tell_end(owner, kind, said, task)
        OutcomeMail.put(owner, task, kind)


@on_refresh
def count_change(user_id: int) -> None:
    """Let their open pages look again."""
    User.count_change(user_id)


@on_removal
def hold_owner(task: TaskRow) -> None:
    """What goes with a task may be its owner's: notifications, mails. Tasks are locked before people."""
    User.hold(task.user_id)


@after_removal
def tell_of_removal(task: TaskRow) -> None:
    """Tell the owner what an operator has deleted, and why. Four queries at most, and none for what owners delete."""
    asks = current()
    if task.is_shown and asks.is_operator:
        said = DELETED.phrase(task.own_title, asks.reason)
        Notification.tell_deletion(User.listening(task.user_id), said, task)
