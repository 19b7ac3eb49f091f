"""Actions: the buttons that a task has in each state. A button is there where it works, and nowhere else."""

from dataclasses import dataclass, replace

from webapp.models import Shape, State, Task


@dataclass(frozen=True)
class Action:
    """One button. `place` is the same while one replaces the other, so that the focus stays; `endpoint` is None for
    what has been asked for and is under way."""

    place: str
    label: str
    endpoint: str | None


_PAUSE = Action("again", "Pause", "tasks.pause")
_RETRY = Action("again", "Retry", "tasks.retry")
# By what a task's owner may ask for; which of them is there is Task's to say.
_OFFERS: dict[str, dict[State | None, Action]] = {
    "pause": {None: _PAUSE},
    "resume": {None: Action("again", "Resume", "tasks.resume")},
    "retry": {
        State.RETRYING: Action("again", "Try now", "tasks.retry"),
        State.SCHEDULED: Action("again", "Start now", "tasks.retry"),
        None: _RETRY,
    },
    "cancel": {None: Action("button", "Cancel", "tasks.cancel")},
}
_UNDER_WAY = {
    State.PAUSING: Action("again", "Pausing", None),
    State.CANCELING: Action("button", "Stopping", None),
}


def actions_of(task: Task, closable: bool = False) -> list[Action]:
    """A task's buttons, in the order in which they stand; `closable` if behind them is one that closes its alert.

    The last button takes the place of Cancel wherever that leads: who canceled by the keyboard is still at the task.
    """
    offered = [
        by_state.get(task.state, by_state.get(None)) for request, by_state in _OFFERS.items() if task.can(request)
    ]
    actions = [*filter(None, [_UNDER_WAY.get(task.state), *offered])]
    if actions == [_RETRY] and not closable and (task.state == State.CANCELED or task.kind != Shape.SINGLE):
        return [replace(_RETRY, place="button")]
    return actions
