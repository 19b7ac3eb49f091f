"""Observers: what else happens in the transaction in which a task changes.

An observer is a function of the task, registered once as its module is imported. It runs inside the transaction: what
it writes is committed with the change or not at all, and what it raises undoes the change. What should happen after the
commit listens to `signals` instead.
"""

from collections.abc import Callable

from tasks.engine.models.row import TaskRow

Observer = Callable[[TaskRow], object]
OwnerObserver = Callable[[int], object]

_on_start: list[Observer] = []
_on_change: list[Observer] = []
_on_change_before_end: list[Observer] = []
_on_advance: list[Observer] = []
_on_finish: list[Observer] = []
_on_reschedule: list[Observer] = []
_on_removal: list[Observer] = []
_after_removal: list[Observer] = []
_on_refresh: list[OwnerObserver] = []


class StartRefused(Exception):
    """An observer of starts lets this one not be: whoever raises it has done nothing."""

    def words(self) -> str:
        """Why, for the person who asked for it."""
        return str(self)


def on_start(observer: Observer) -> Observer:
    """Register what may refuse that a person starts a task, or retries one that has ended, by raising StartRefused.

    It is called once the task is active and all its unique keys are taken, so it may lock the owner; and before its
    files are stored. Not for internal tasks, nor for children: a workflow is one start. Resuming starts nothing.
    """
    _on_start.append(observer)
    return observer


def on_change(observer: Observer) -> Observer:
    """Register what follows each change that the task's owner can see: state, progress, timeline, alert."""
    _on_change.append(observer)
    return observer


def on_change_before_end(observer: Observer) -> Observer:
    """Register what follows each such change but an end, for whoever writes the same together with what is `on_finish`.

    After its end, a task may change again.
    """
    _on_change_before_end.append(observer)
    return observer


def on_advance(observer: Observer) -> Observer:
    """Register what follows each transition and each progress."""
    _on_advance.append(observer)
    return observer


def on_finish(observer: Observer) -> Observer:
    """Register what follows each end: success, failure or cancellation."""
    _on_finish.append(observer)
    return observer


def on_reschedule(observer: Observer) -> Observer:
    """Register what follows where a scheduled task has got another time: the app may keep that elsewhere, too."""
    _on_reschedule.append(observer)
    return observer


def on_removal(observer: Observer) -> Observer:
    """Register what precedes the removal of a task with all that refers to it, once it is locked."""
    _on_removal.append(observer)
    return observer


def after_removal(observer: Observer) -> Observer:
    """Register what follows the removal of a task by whoever asks for it, as the `actor` has it; it is gone."""
    _after_removal.append(observer)
    return observer


def on_refresh(observer: OwnerObserver) -> OwnerObserver:
    """Register what follows where an owner's pages show something else now, though no task of theirs has changed.

    It gets the owner's id. That is so with a title, an artifact, a place in the queue.
    """
    _on_refresh.append(observer)
    return observer


def starting(task: TaskRow) -> None:
    """Run what may refuse a start, if its owner sees the task on its own."""
    if task.is_shown:
        for observer in _on_start:
            observer(task)


def changed(task: TaskRow, ends: bool = False) -> None:
    """Run what follows a change; `ends` says that `finished` is called for it, too."""
    for observer in _on_change if ends else (*_on_change, *_on_change_before_end):
        observer(task)


def advanced(task: TaskRow) -> None:
    """Run what follows a transition or progress."""
    for observer in _on_advance:
        observer(task)


def finished(task: TaskRow) -> None:
    """Run what follows the end of a task."""
    for observer in _on_finish:
        observer(task)


def rescheduled(task: TaskRow) -> None:
    """Run what follows another time."""
    for observer in _on_reschedule:
        observer(task)


def removing(task: TaskRow) -> None:
    """Run what precedes the removal of a task."""
    for observer in _on_removal:
        observer(task)


def removed(task: TaskRow) -> None:
    """Run what follows the removal of a task."""
    for observer in _after_removal:
        observer(task)


def refreshed(owner_id: int) -> None:
    """Run what follows where an owner's pages show something else."""
    for observer in _on_refresh:
        observer(owner_id)
