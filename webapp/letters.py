"""Letters: what a mail to many says, made of its sender's data, with the logo in it."""

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app

from webapp import mailer, mime
from webapp.mailer import Attachment, Letter
from webapp.models import Mailing, State, Task, User
from webapp.models.task.state import ACTIVE

FREE = "free"
MOST_LATEST = 5
MOST_LISTED = 500  # tasks in a mail; it says how many more there are
LOGO_FILE = Path(__file__).parent / "static" / "theme" / "logo.png"  # mail programs show no SVG
LOGO = "logo"
ENDED = (State.SUCCEEDED, State.FAILED)  # of itself, and not because its owner did not want it any more


def _all(tasks: Any) -> Any:
    return tasks.order_by(Task.created_at.desc(), Task.id)


def _latest_finished(tasks: Any) -> Any:
    return tasks.where(Task.state.in_(ENDED)).order_by(Task.finished_at.desc(), Task.id)


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
    "welcome": Template("A welcome", "Welcome to {app}"),
    "all_tasks": Template("All my tasks", "All tasks of {name}", _all),
    "latest_finished": Template(
        "My five latest finished tasks", "The latest finished tasks of {name}", _latest_finished, MOST_LATEST
    ),
    "in_progress": Template("My tasks in progress", "Tasks in progress of {name}", _in_progress),
    FREE: Template("A text of my own"),
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


def written(mailing: Mailing, user: User) -> tuple[str, str]:
    """The text and the HTML of a mailing as it would be sent now. Needs an app context. At most three queries.

    The task that sends it is not among the tasks that it lists.
    """
    tasks, more = _listed(mailing, user, template_of(mailing))
    body = mailing.body.strip()
    paragraphs = re.split(r"\n\s*\n", body)
    return mailer.render(mailing.template, user=user, tasks=tasks, more=more, body=body, paragraphs=paragraphs)


def _listed(mailing: Mailing, user: User, template: Template) -> tuple[list[Task], int]:
    """The tasks that it lists, and how many there are beyond these."""
    if not template.tasks:
        return [], 0
    sends = mailing.original if mailing.original_id else mailing
    mine = Task.of(user)
    query = template.tasks(mine.where(Task.id != sends.task_id) if sends.task_id else mine)
    tasks = list(query.limit(template.most))
    is_cut = len(tasks) == template.most == MOST_LISTED
    return tasks, query.count() - len(tasks) if is_cut else 0


def letter(mailing: Mailing, user: User) -> Letter:
    """What is sent to each of its recipients, with all its files in memory. The mailing has been `kept`."""
    files = [Attachment(file.name, file.content_type, file.read()) for file in mailing.files()]
    return Letter(mailing.subject, mailing.text, mailing.html, files, [logo()], _reply_to(user), is_automatic=False)


def in_browser(html: str) -> str:
    """The HTML with the logo in it, for a page that shows a mail."""
    data = base64.b64encode(logo().data).decode()
    return html.replace(f"cid:{LOGO}", f"data:image/png;base64,{data}")


@cache
def logo() -> Attachment:
    """The picture that a letter's HTML names `cid:logo`."""
    return Attachment(LOGO, "image/png", LOGO_FILE.read_bytes())


def _reply_to(user: User) -> str | None:
    """Where answers go. An address that most mail servers cannot write would keep the mail from everybody."""
    with suppress(mime.BadHeader, UnicodeError):
        return mime.address(user.email) or None
    return None
