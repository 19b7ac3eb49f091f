"""A person's list of files: what stands in a row of it, and where it goes on."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import url_for
from werkzeug.exceptions import BadRequest

from tasks.engine.config import config
from webapp.lib.complete import complete
from webapp.models.stored_files import Obstacle, Order, Position, StoredFile
from webapp.web.paging import NO_SUCH_PAGE, moment

MOST_DIGITS = 18  # of what a database's integers hold

OBSTACLES: Mapping[Obstacle, str] = complete(
    "OBSTACLES",
    Obstacle,
    {
        Obstacle.UNFINISHED: "Its task hasn’t finished. Cancel the task first.",
        Obstacle.HALF_WRITTEN: "It isn’t complete, and a retry would go on with it. Delete its task instead.",
        Obstacle.SCHEDULED: "It goes with a scheduled email. Remove it there.",
        Obstacle.BEING_SENT: "The email is being sent. Wait until that has finished.",
        Obstacle.NOT_SENT_TO_ALL: "Not everybody got this email. Send the rest, or delete its task.",
    },
)


def value_of(file: StoredFile) -> str:
    """By what a form and a cursor name a file."""
    return f"{'a' if isinstance(file.id, UUID) else 'm'}{file.id}"


def read_value(name: str) -> UUID | int | None:
    """The id in what `value_of` gave out; None for anything else."""
    kind, key = name[:1], name[1:]
    if kind == "m":
        return _number(key)
    try:
        return UUID(key) if kind == "a" else None
    except ValueError:
        return None


def cursor_of(file: StoredFile, order: Order) -> str:
    """The cursor of the page after it."""
    value, _ = file.position(order)
    return f"{value.isoformat() if isinstance(value, datetime) else value}_{value_of(file)}"


def read_cursor(cursor: str, order: Order) -> Position:
    """Where a page begins. Raises BadRequest for what no page gave out."""
    value, _, name = cursor.partition("_")
    at = moment(value) if order is Order.AGE else _number(value)
    key = read_value(name)
    if at is None or key is None:
        raise BadRequest(NO_SUCH_PAGE)
    return at, key


def place_of(file: StoredFile) -> tuple[str, str, str]:
    """What it belongs to: what that is, what it is called, and its address."""
    if file.mailing is None:
        assert file.task is not None, "an artifact has one"
        kind = "Given to" if file.is_upload else "Made by"
        return kind, file.task.title_words(), url_for("tasks.show", task_id=file.task.id)
    subject = file.mailing.subject or "No subject"
    if file.task is None:
        return "Attached to the draft", subject, url_for("mail.show", mailing_id=file.mailing.original_id)
    return "Attached to the email", subject, url_for("mail.show", mailing_id=file.mailing.id)


def goes_at(file: StoredFile) -> datetime | None:
    """When it goes away by itself, by its own time or with its task; None where that depends on what is still to be."""
    if file.artifact and file.artifact.expires_at:
        return file.artifact.expires_at
    return file.task.finished_at + config().keep_tasks if file.task and file.task.finished_at else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
