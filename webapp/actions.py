"""Actions: the buttons that a task has in each state. A button is there where it works, and nowhere else."""

from dataclasses import dataclass

from webapp.models import State, Task


@dataclass(frozen=True)
class Action:
    """One button. `place` is the same while one replaces the other, so that the focus stays; `endpoint` is None for
    what has been asked for and is under way, or has come to its end."""

    place: str
    label: str
    endpoint: str | None


PLACES = ("again", "start", "button")  # in which buttons come and go
CLOSE = "button"  # where an alert is closed: in place of Cancel

# By what a task's owner may ask for; which of them is there is Task's to say.
_OFFERS: dict[str, dict[State | None, Action]] = {
    "pause": {None: Action("again", "Pause", "tasks.pause")},
    "resume": {None: Action("again", "Resume", "tasks.resume")},
    "retry": {
        State.RETRYING: Action("start", "Try now", "tasks.retry"),
        State.SCHEDULED: Action("start", "Start now", "tasks.retry"),
        None: Action("start", "Retry", "tasks.retry"),
    },
    "cancel": {None: Action("button", "Cancel", "tasks.cancel")},
}
_UNDER_WAY = {
    State.PAUSING: Action("again", "Pausing", None),
    State.CANCELING: Action("button", "Stopping", None),
}


def actions_of(task: Task, closable: bool = False) -> list[Action]:
    """A task's buttons, in the order in which they stand; `closable` if behind them is one that closes its alert.

    What starts a task has a place of its own: whoever presses Pause or Cancel twice must not start it by that.
    """
    offered = [
        by_state.get(task.state, by_state.get(None)) for request, by_state in _OFFERS.items() if task.can(request)
    ]
    return [*filter(None, [_UNDER_WAY.get(task.state), *offered])]


def left_behind(task: Task, offers: list[Action], closable: bool = False) -> list[Action]:
    """What stands in the places that a task's buttons have left: buttons that do nothing and say how it stands.

    One is seen only by whoever was on the button before it, so that the focus stays where it was. A part has none.
    """
    taken = {offer.place for offer in offers} | ({CLOSE} if closable else set())
    label = "Finished" if task.state == State.SUCCEEDED else task.state.words.capitalize()
    return [Action(place, label, None) for place in PLACES if place not in taken and not task.parent_id]
