"""The templates that people choose from for a mail to many: their subjects, and which tasks of its sender they list.

What they say is in `templates/email/`, by their names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app

from tasks.engine.models.state import ACTIVE, FINISHED
from webapp.models import Mailing, State, Task, User

FREE = "free"
MOST_LATEST = 5
MOST_LISTED = 500  # tasks in a mail; it says how many more there are
ENDED = FINISHED - {State.CANCELED}  # of itself, and not because its owner did not want it any more


def _all(tasks: Any) -> Any:
    return tasks.order_by(Task.created_at.desc(), Task.id)


def _latest_finished(tasks: Any) -> Any:
    return tasks.where(Task.state.in_(sorted(ENDED))).order_by(Task.finished_at.desc(), Task.id)


def _in_progress(tasks: Any) -> Any:
    return tasks.where(Task.state.in_(ACTIVE)).order_by(Task.created_at, Task.id)


@dataclass(frozen=True)
class Template:
    """What people choose from: what it is called, the subject that it brings (with `{app}`
    and `{name}` in it), and which of their tasks it lists.

    `most` tasks of them; of MOST_LISTED it says how many more there are.
    """

    label: str
    subject: str = ""
    tasks: Callable[[Any], Any] | None = None
    most: int = MOST_LISTED


TEMPLATES = {
    FREE: Template("My own text"),
    "welcome": Template("Welcome", "Welcome to {app}"),
    "all_tasks": Template("All my tasks", "{name}’s tasks", _all),
    "latest_finished": Template(
        "My last five finished tasks", "{name}’s latest finished tasks", _latest_finished, MOST_LATEST
    ),
    "in_progress": Template("My tasks in progress", "{name}’s tasks in progress", _in_progress),
}


def template_of(mailing: Mailing) -> Template:
    """The template that was chosen; for one that this site has no more, one of that name that lists nothing."""
    return TEMPLATES.get(mailing.template, Template(mailing.template))


def subject_for(template: str, subject: str, user: User) -> str:
    """The subject of a mail for which a template was chosen: the one typed, unless that is none or another's.

    Needs an app context.
    """
    app = current_app.config["SETTINGS"].app_name
    brought = {name: known.subject.format(name=user.username, app=app) for name, known in TEMPLATES.items()}
    return brought.get(template, "") if subject.strip() in {"", *brought.values()} else subject
