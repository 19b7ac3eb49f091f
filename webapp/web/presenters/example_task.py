"""The example of a task after what was asked of it: in the state to which that leads, by the tables of these."""

from collections.abc import Mapping
from typing import Final

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.state import FINISHED, LEASED, TIMED
from webapp.lib.json_types import Json
from webapp.models import State
from webapp.web.api.examples import MOMENT
from webapp.web.api.operation import Operation
from webapp.web.presenters.action_words import ACTION_WORDS

USUAL: Final = State.SUCCEEDED
_BY_NOUN: Final = {words.noun: OWNER_ACTIONS[name] for name, words in ACTION_WORDS.items()}
_BY_OPERATION: Final = {"create_task": State.PENDING, "change_task": State.SCHEDULED}
TOTAL: Final = 250


def state_after(operation: Operation, status: int) -> State:
    """The state of a task in that answer."""
    action = _BY_NOUN.get(operation.path.rpartition("/")[2])
    if action is None or USUAL in action.targets:
        return _BY_OPERATION.get(operation.name, USUAL)
    return sorted(action.targets & LEASED if status == 202 else action.targets - LEASED)[0]


def in_state(task: Mapping[str, Json], state: State) -> dict[str, Json]:
    """The example with all that depends on its state as it is in that one."""
    is_over, has_begun = state in FINISHED, not (state in TIMED or state is State.PENDING)
    steps = TOTAL if state is USUAL else TOTAL // 2 if has_begun else 0
    changes: dict[str, Json] = {
        "state": state.value,
        "done": is_over,
        "progress": {**_object(task["progress"]), "done": steps},
        "position": 3 if state is State.PENDING else None,
        "attempt": int(has_begun),
        "started_at": task["started_at"] if has_begun else None,
        "finished_at": task["finished_at"] if is_over else None,
        "run_at": MOMENT if state is State.SCHEDULED else None,
        "actions": [words.noun for name, words in ACTION_WORDS.items() if state in OWNER_ACTIONS[name].moves],
    }
    return {**task, **changes}


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value
