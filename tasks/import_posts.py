"""Bring posts from a CSV file, and take them back."""

import csv
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from tasks.cells import csv_row, restored
from tasks.engine import Accept, Preview, Run, TaskError, Undo, Upload, user_task
from webapp.models import Post, Task
from webapp.models.post import POST_LENGTH
from webapp.times import iso, utcnow

DELIMITERS = ",;\t"
SHOWN = 5  # rows of a preview
SHOWN_PROBLEMS = 3
LOOKED_AT = 1000  # rows, at most, for a preview


@dataclass(frozen=True)
class Row:
    """One row of the file, numbered as in a spreadsheet: a post, or what is wrong with it."""

    number: int
    body: str = ""
    created_at: datetime | None = None
    problem: str = ""


def read_rows(file: Upload) -> Iterator[Row]:
    """The rows that are not blank, in constant memory. Raises TaskError for what has no column of bodies."""
    delimiter = max(DELIMITERS, key=next(file.lines(), "").count)
    records = _records(csv.reader(file.lines(), delimiter=delimiter))
    head = [name.strip().lower() for name in next(records, None) or []]
    if "body" not in head:
        raise TaskError(f"The first row of {file} must name the columns: body, and timestamp if it has one.")
    for number, record in enumerate(records, 2):
        if record != []:
            yield _read(number, record, head)


def _preview(file: Upload) -> Preview:
    rows = list(islice(read_rows(file), LOOKED_AT))
    if not rows:
        raise TaskError(f"{file} holds no posts.")
    good = [row for row in rows if not row.problem]
    words = _result(len(good), len(rows) - len(good), "can be imported")
    return Preview(
        f"Of the first {LOOKED_AT:,} rows: {words}." if len(rows) == LOOKED_AT else f"{words}.",
        ("Row", "Body", "Timestamp"),
        [(str(row.number), row.body, iso(row.created_at) if row.created_at else "now") for row in good[:SHOWN]],
        [f"Row {row.number}: {row.problem}" for row in rows if row.problem][:SHOWN_PROBLEMS],
    )


@user_task(title="Undo: {title}", one_at_a_time=("task_id",))
def undo_import(task: Run, task_id: str, title: str) -> None:
    """Delete the posts that an import has made."""
    theirs = Task.id == UUID(task_id), Task.user == task.user
    made_by = Task.get_or_none(*theirs)
    if made_by and not made_by.is_finished:
        raise TaskError("That import is under way again. Cancel it first.")
    task.stage("Deleting the posts")
    for post in task.each(Post.select().where(Post.task == UUID(task_id), Post.user == task.user)):
        post.delete_instance()
    task.log(f"{_number(task.done, 'post')} deleted")


@user_task(
    title="Import posts from {file}",
    preview=_preview,
    undo=Undo("Undo this import", undo_import, lambda task: Post.select().where(Post.task == task.id).exists()),
)
def import_posts(task: Run, file: Annotated[Upload, Accept(".csv", ".tsv", ".txt")]) -> None:
    """Add the posts of a CSV file to yours. Its first row names the columns: body, and timestamp if it has one."""
    task.stage("Reading the file")
    total, wrong = _count(task, file)
    task.stage("Writing your posts")
    task.total = total
    # The cursor is how many rows were refused by now; it is saved with the checkpoint that counts them.
    with task.artifact("errors.csv") if wrong or task.cursor else nullcontext() as errors:
        if errors and errors.size == 0:
            errors.write(csv_row("row", "reason"))
        for row in task.each(read_rows(file)):
            if errors and row.problem:
                errors.write(csv_row(row.number, row.problem))
                task.cursor = (task.cursor or 0) + 1
            else:
                moment = row.created_at or utcnow()
                Post.insert(user=task.user, task=task.id, body=row.body, created_at=moment).execute()
    refused = task.cursor or 0
    if refused == task.done:
        raise TaskError(f"Nothing in {file} could be imported. The file errors.csv says why.")
    task.log(_result(task.done - refused, refused, "imported"))


def _count(task: Run, file: Upload) -> tuple[int, int]:
    """How many rows there are, and how many of them are wrong."""
    total = wrong = 0
    for row in read_rows(file):
        total, wrong = total + 1, wrong + bool(row.problem)
        if total % 1000 == 0:
            task.advance(0)  # where it may stop
    if not total:
        raise TaskError(f"{file} holds no posts.")
    return total, wrong


def _records(reader: Any) -> Iterator[list[str] | None]:
    """The rows as lists of cells; None for one that cannot be read."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None


def _read(number: int, record: list[str] | None, head: list[str]) -> Row:
    if record is None:
        return Row(number, problem="A cell is too long to be read.")
    if len(record) != len(head):
        return Row(number, problem=f"It has {_number(len(record), 'column')}, not {len(head)}.")
    cells = dict(zip(head, record, strict=True))
    body = restored(cells["body"]).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()
    if not any(character.isprintable() for character in body):
        return Row(number, problem="The body is empty.")
    if len(body) > POST_LENGTH:
        return Row(number, problem=f"The body has {len(body):,} characters; a post has at most {POST_LENGTH}.")
    written = cells.get("timestamp", "").strip()
    try:
        moment = _moment(written)
    except (ValueError, OverflowError):
        return Row(number, problem=f"{written[:40]} is no time such as 2026-11-21T09:30:00Z.")
    if moment and moment > utcnow():
        return Row(number, problem="The timestamp has not come yet.")
    return Row(number, body, moment)


def _moment(written: str) -> datetime | None:
    """ISO 8601 as naive UTC; without a zone it is UTC."""
    if not written:
        return None
    moment = datetime.fromisoformat(written)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _result(good: int, bad: int, what: str) -> str:
    """Like '9,998 posts imported, 2 rows not'."""
    return f"{_number(good, 'post')} {what}" + (f", {_number(bad, 'row')} not" if bad else "")


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
