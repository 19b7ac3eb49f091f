"""Task pages: what is different on the pages of one task function, registered by whoever adds it.

    register(draw_cards, TaskPage(panel="cards/_of_task.html", start_label="Draw now"))

The pages of tasks know no task function by name. What registers one is a file of its own blueprint, so it is there
once `webapp.web.routes` is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.engine import TaskFunction
from tasks.engine.models.row import TaskRow
from webapp.models import Task


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """What the pages of one task function's tasks say or do otherwise; a field that is left out changes nothing."""

    panel: str = ""  # a template that the task's page includes below its progress, with the context of `_panel.html`
    start_label: str = ""  # of the button that starts a task that has not run yet
    restart_label: str = ""  # of the button that starts a task again that was canceled after it had begun
    # The URL that a POST is sent to in order to schedule a canceled task again; a GET of its form unless given.
    schedule_again: Callable[[Task], str] | None = None
    is_confidential: bool = False  # whether what it made is handed out only to whoever has just proved who they are
    tells_amount: bool = True  # whether a stopped task says how much of it was done; not if its panel says that better


_AS_ALL = TaskPage()
_PAGES: dict[str, TaskPage] = {}


def register(function: TaskFunction, page: TaskPage) -> None:
    """Let the pages of a function's tasks differ. Raises ValueError if the function has another page already."""
    if _PAGES.setdefault(function.name, page) != page:
        raise ValueError(f"{function.name} has a page already")


def page_of(task: TaskRow) -> TaskPage:
    """How the pages of that task differ; one without differences for most, and for those whose function is gone."""
    return _PAGES.get(task.name, _AS_ALL)
