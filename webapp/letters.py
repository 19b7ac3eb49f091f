"""Letters: what a mail to many says, made of its sender's data, with the logo in it."""

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from webapp import mailer, mime
from webapp.mailer import Attachment, Letter
from webapp.models import Mailing, State, Task, User
from webapp.models.state import FINISHED

FREE = "free"
MOST_LATEST = 5
LOGO_FILE = Path(__file__).parent / "static" / "errand.png"  # mail programs show no SVG
LOGO = "logo"

# What people choose from, by the name of the template.
TEMPLATES = {
    "welcome": "A welcome to Errand",
    "all_tasks": "All my tasks",
    "latest_finished": "My five latest finished tasks",
    "in_progress": "My tasks in progress",
    FREE: "A text of my own",
}


def _all(tasks: Any) -> Any:
    return tasks.order_by(Task.created_at.desc(), Task.id)


def _latest_finished(tasks: Any) -> Any:
    finished = tasks.where(Task.state.in_(FINISHED))
    return finished.order_by(Task.finished_at.desc(), Task.id).limit(MOST_LATEST)


def _in_progress(tasks: Any) -> Any:
    return tasks.where(Task.state == State.IN_PROGRESS).order_by(Task.created_at, Task.id)


_TASKS: dict[str, Callable[[Any], Any]] = {
    "all_tasks": _all,
    "latest_finished": _latest_finished,
    "in_progress": _in_progress,
}


def written(mailing: Mailing, user: User) -> tuple[str, str]:
    """The text and the HTML of a mailing as it would be sent now. Needs an app context. At most two queries.

    The task that sends it is not among the tasks that it lists.
    """
    listed = _TASKS.get(mailing.template)
    sends = mailing.original if mailing.original_id else mailing
    tasks = list(listed(_of(user, sends.task_id))) if listed else []
    paragraphs = re.split(r"\n\s*\n", mailing.body.strip())
    return mailer.render(mailing.template, user=user, tasks=tasks, body=mailing.body.strip(), paragraphs=paragraphs)


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


def _of(user: User, but: UUID | None) -> Any:
    tasks = Task.of(user)
    return tasks.where(Task.id != but) if but else tasks
