"""What a query may say about a list of tasks."""

from collections.abc import Mapping
from typing import Any, Final

from tasks.engine.models.state import ACTIVE, FINISHED
from webapp.lib.i18n import number
from webapp.models import State, User
from webapp.models.permissions import Action, may
from webapp.models.scopes import Scope
from webapp.models.task_filter import MOST_SEARCHED
from webapp.models.task_list import TaskList
from webapp.web.api.authentication import insufficient_scope, reaches_others
from webapp.web.api.call import Call
from webapp.web.api.finding import find_task
from webapp.web.api.pages import PAGING
from webapp.web.api.parameters import Query, moment, one_of, some_of, text, uuid
from webapp.web.api.problems import FORBIDDEN, Problem
from webapp.web.api.resource import STRING
from webapp.web.api.resources.task import WORKFLOW

LONGEST_SEARCH: Final = 100  # characters
SEARCHED: Final = (
    f"What isn’t found by an index is looked for among the next {number(MOST_SEARCHED)}: a page may then have few "
    "items, or none, and still a `next`."
)
_STATES: Final[Mapping[str, Any]] = {state.value: [state] for state in State} | {"active": ACTIVE, "finished": FINISHED}
TASK_FILTER: Final[tuple[Query, ...]] = (
    some_of(
        "state",
        _STATES,
        STRING | {"examples": ["active", "failed,canceled"]},
        f"One or more of these, with commas between: {', '.join(_STATES)}. `finished` is whatever has ended, and "
        "`active` all the rest.",
    ),
    text("kind", 60, f"The name of a kind of task, or `{WORKFLOW}`."),
    text("q", LONGEST_SEARCH, f"Words that all stand in the title, or in what went wrong. {SEARCHED}"),
    moment("created_after", "Only those created then or later."),
    moment("created_before", "Only those created earlier."),
)
TASK_QUERY: Final[tuple[Query, ...]] = (
    *TASK_FILTER,
    uuid("parent", "Only the children of this workflow; without this, there are no children in the list."),
    one_of("owner", {"all": "all"}, "`all` for everybody’s: with the scope `desk:read`, and a role that allows that."),
    *PAGING,
)


def task_list(call: Call) -> TaskList:
    """The list that a query asks for. One query if it is of the children of a task, and none otherwise.

    Raises Problem (403) for what takes another role or scope; answers 404 for a parent that is not there.
    """
    query, owner, parent = call.query, call.user, call.query["parent"]
    is_of_all = query["owner"] is not None
    if is_of_all and not reaches_others(call.token, Scope.DESK_READ):
        if may(call.user, Action.VIEW_DESK):
            raise insufficient_scope(Scope.DESK_READ)
        raise Problem(FORBIDDEN, "Everybody’s tasks are for people with a role at the desk.")
    if parent:
        find_task(call, parent)
    return TaskList(
        owner=None if parent or is_of_all else owner,
        parent=parent,
        titles_only=not _may_read_errors(call.user, is_of_all or bool(parent)),
        **filter_of(query),
    )


def filter_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """What tasks must be like, as TaskList names it, by what TASK_FILTER has read."""
    kind = said["kind"]
    return {
        "states": frozenset(State(state) for state in said["state"] or ()),
        "name": "" if kind == WORKFLOW else kind,
        "text": said["q"] or "",
        "since": said["created_after"],
        "until": said["created_before"],
    }


def _may_read_errors(user: User, of_others: bool) -> bool:
    """Whether what went wrong may be searched: a viewer is not to guess at it."""
    return not of_others or may(user, Action.STEER)
