"""A person's list of files: what stands in a row of it, and where it goes on."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from werkzeug.exceptions import BadRequest

from tasks.engine.config import config
from webapp.lib.complete import complete
from webapp.models.attached_files import AttachedFile
from webapp.models.stored_file import Obstacle, Order, Position, StoredFile
from webapp.models.stored_files import SOURCES
from webapp.web.paging import NO_SUCH_PAGE, moment
from webapp.web.presenters.attached_file_places import place_of_attachment
from webapp.web.presenters.file_places import place_of_artifact

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


# By the letter of its source, what a file belongs to: what that is, what it is called, and its address.
PLACES: Mapping[str, Callable[[Any], tuple[str, str, str]]] = complete(
    "PLACES",
    SOURCES,
    {
        StoredFile.letter: place_of_artifact,
        AttachedFile.letter: place_of_attachment,
    },
)


def value_of(file: StoredFile) -> str:
    """By what a form and a cursor name a file."""
    return f"{file.letter}{file.id}"


def read_value(name: str) -> tuple[str, UUID | int] | None:
    """The letter of the source and the id in what `value_of` gave out; None for anything else."""
    letter, text = name[:1], name[1:]
    if letter not in SOURCES:
        return None
    key = _number(text) if SOURCES[letter].key is int else _uuid(text)
    return None if key is None else (letter, key)


def cursor_of(file: StoredFile, order: Order) -> str:
    """The cursor of the page after it."""
    value = file.position(order)[0]
    return f"{value.isoformat() if isinstance(value, datetime) else value}_{value_of(file)}"


def read_cursor(cursor: str, order: Order) -> Position:
    """Where a page begins. Raises BadRequest for what no page gave out."""
    value, _, name = cursor.partition("_")
    at = moment(value) if order is Order.AGE else _number(value)
    file = read_value(name)
    if at is None or file is None:
        raise BadRequest(NO_SUCH_PAGE)
    return at, *file


def place_of(file: StoredFile) -> tuple[str, str, str]:
    """What it belongs to: what that is, what it is called, and its address."""
    return PLACES[file.letter](file)


def goes_at(file: StoredFile) -> datetime | None:
    """When it goes away by itself, by its own time or with its task; None where that depends on what is still to be."""
    if file.artifact and file.artifact.expires_at:
        return file.artifact.expires_at
    return file.task.finished_at + config().keep_tasks if file.task and file.task.finished_at else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
