"""Bring posts from a file, and take them back."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Annotated
from uuid import UUID

from tasks.engine import Accept, Preview, Run, TaskError, Undo, Upload, user_task
from tasks.lib.csv_cells import csv_row
from tasks.lib.decoding import UNDECODABLE
from tasks.lib.post_files import BEGINNING, ERRORS, PostFile, Row, open_posts
from webapp.lib.i18n import number
from webapp.lib.phrases import Phrase, Wording, phrase
from webapp.lib.quota_variables import Quota
from webapp.lib.times import exact_iso, utcnow
from webapp.models import ArtifactWriter, Post, Task
from webapp.models.quotas import OverQuota, most_of

SHOWN = 5  # rows of a preview
SHOWN_PROBLEMS = 3
LOOKED_AT = 1000  # rows, at most, for a preview
BATCH = 1000  # rows that are written at once
BATCH_SIZE = 256 * 1024  # characters of them, at most, beyond the first row

TITLE = phrase("import_posts.title", "Import posts from {file}")
UNDO_TITLE = phrase("import_posts.undo_title", "Undo: {title}")
READING = phrase("import_posts.reading", "Reading the file")
SAVING = phrase("import_posts.saving", "Saving your posts", others="Saving {owner}’s posts")
DELETING = phrase("import_posts.deleting", "Deleting posts")
DELETED = phrase("import_posts.deleted", "{number} post deleted", plural="{number} posts deleted")
IMPORTED = phrase("import_posts.imported", "{number} post imported", plural="{number} posts imported")
READY = phrase("import_posts.ready", "{number} post ready to import", plural="{number} posts ready to import")
BOTH = phrase("import_posts.both", "{right}, {wrong}")
# By what holds a post in the file.
SKIPPED = {
    "row": phrase("import_posts.rows_skipped", "{number} row skipped", plural="{number} rows skipped"),
    "item": phrase("import_posts.items_skipped", "{number} item skipped", plural="{number} items skipped"),
}
WRONG = {
    "row": phrase("import_posts.rows_wrong", "{number} row has errors", plural="{number} rows have errors"),
    "item": phrase("import_posts.items_wrong", "{number} item has errors", plural="{number} items have errors"),
}
FIRST = {
    "row": phrase("import_posts.first_rows", "In the first row", plural="In the first {number} rows"),
    "item": phrase("import_posts.first_items", "In the first item", plural="In the first {number} items"),
}
NO_POSTS = phrase("import_posts.no_posts", "{file} contains no posts.")
NONE_RIGHT = phrase("import_posts.none_right", "Nothing in {file} could be imported. See errors.csv for the reasons.")
UNDER_WAY = phrase("import_posts.under_way", "That import is running again. Cancel it first.")
BEING_UNDONE = phrase("import_posts.being_undone", "This import is being undone. Try again once that has finished.")
PARTLY_UNDONE = phrase(
    "import_posts.partly_undone", "This import was only partly undone. Undo it once more, then retry."
)
UNDONE = phrase("import_posts.undone", "This import was undone. Start a new one with the same file.")


def _preview(file: Upload) -> Preview:
    posts = open_posts(file, BEGINNING)
    rows = list(islice(posts, LOOKED_AT))
    if not rows and not posts.is_cut:
        raise TaskError(NO_POSTS(file=file.name))
    good = [row for row in rows if not row.problem]
    words = _joined(READY(number=len(good)), WRONG[posts.item], len(rows) - len(good))
    only_beginning = len(rows) == LOOKED_AT or posts.is_cut
    return Preview(
        f"{FIRST[posts.item](number=len(rows))}: {words}." if only_beginning else f"{words}.",
        (posts.item.capitalize(), "Body", "Timestamp"),
        [(str(row.number), row.body, exact_iso(row.created_at) if row.created_at else "now") for row in good[:SHOWN]],
        [f"{posts.item.capitalize()} {number(row.number)}: {row.problem}" for row in rows if row.problem][
            :SHOWN_PROBLEMS
        ],
        posts.notes,
    )


def _undo_title(task_id: str, title: str) -> Phrase:
    made_by = Task.get_or_none(Task.id == UUID(task_id))
    return UNDO_TITLE(title=made_by.own_title if made_by else title)


@user_task(title=_undo_title, one_at_a_time=("task_id",))
def undo_import(task: Run, task_id: str, title: str) -> None:
    """Delete the posts that an import created."""
    theirs = Task.id == UUID(task_id), Task.user == task.user
    made_by = Task.get_or_none(*theirs)
    if made_by and not made_by.is_finished:
        raise TaskError(UNDER_WAY())
    task.stage(DELETING())
    is_first = True
    for post in task.each(Post.select().where(Post.task == UUID(task_id), Post.user == task.user)):
        # In the transaction of the first deletion: what has begun to be taken back can only begin anew.
        if is_first and made_by and not made_by.begin_undo(by=UUID(task.id)):
            raise TaskError(UNDER_WAY())
        is_first = False
        post.delete_instance()
    words = DELETED(number=task.done)
    if made_by:
        made_by.end_undo(UUID(task.id), words)
    task.log(words)


@user_task(
    title=TITLE,
    preview=_preview,
    undo=Undo("Undo this import", undo_import, lambda task: Post.select().where(Post.task == task.id).exists()),
)
def import_posts(task: Run, file: Annotated[Upload, Accept(".csv", ".tsv", ".txt", ".json")]) -> None:
    """Import posts from a CSV or JSON file. A CSV file needs a header row: body, and optionally timestamp.

    You can import our own exports as they are. Rows with errors come back as a file that you can correct and import.
    """
    _check_undone(task)
    task.stage(READING())
    posts = open_posts(file)
    if not isinstance(task.cursor, dict):
        # What the release before began it counted row by row, and how many of them were refused.
        task.cursor = {"batch": 1 if task.done else BATCH, "refused": task.cursor or 0, **_count(task, posts)}
    if not task.cursor["rows"]:
        raise TaskError(NO_POSTS(file=file.name))
    task.stage(SAVING())
    task.total = task.cursor["rows"]
    with task.artifact("errors.csv") if task.cursor["wrong"] else nullcontext() as errors:
        if errors and errors.size == 0:
            errors.write(csv_row(*ERRORS, *posts.columns))
        # A checkpoint after each batch: the next is read while nobody waits for what this one has written.
        for batch in task.each(_batches(posts, task.cursor["batch"]), every_step=True):
            _write(task, batch, errors)
            task.advance(len(batch) - 1)
    refused = task.cursor["refused"]
    if refused == task.done:
        raise TaskError(NONE_RIGHT(file=file.name))
    task.log(_joined(IMPORTED(number=task.done - refused), SKIPPED[posts.item], refused))


def _check_undone(task: Run) -> None:
    """Raises TaskError while posts that an earlier try has made are being deleted, and where only some of them are."""
    if undo_import.under_way(task.user, task_id=task.id, title=""):
        raise TaskError(BEING_UNDONE())
    made = Post.select().where(Post.task == UUID(task.id))
    if not task.done and made.exists():
        raise TaskError(PARTLY_UNDONE())
    if task.done and not isinstance(task.cursor, dict) and made.count() < task.done - (task.cursor or 0):
        # Undone by the release before, after which it would go on where it had stopped.
        raise TaskError(UNDONE())


def _count(task: Run, posts: PostFile) -> dict[str, int]:
    """How many rows there are, and how many of them are wrong. Raises TaskError at the first row beyond the quota.

    What has begun to be imported is imported to its end, whatever the quota is by then.
    """
    rows, wrong, most = 0, 0, None if task.done else most_of(Quota.IMPORT_ROWS, task.user)
    for row in posts:
        rows, wrong = rows + 1, wrong + bool(row.problem)
        if most is not None and rows > most:
            raise TaskError(OverQuota(Quota.IMPORT_ROWS, most).phrase)
        if rows % 1000 == 0:
            task.advance(0)  # where it may stop
    return {"rows": rows, "wrong": wrong}


def _batches(posts: PostFile, most: int) -> Iterator[list[Row]]:
    """The rows, so many at a time, or fewer of those that are long; the same in each run."""
    batch: list[Row] = []
    size = 0
    for row in posts:
        batch.append(row)
        size += row.size
        if len(batch) == most or size > BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(task: Run, batch: list[Row], errors: ArtifactWriter | None) -> None:
    """Make posts of the rows that are right, and list the others."""
    wrong = [_as_error(row) for row in batch if row.problem]
    good = [(row.created_at or utcnow(), row.body) for row in batch if not row.problem]
    Post.write_many(task.user.id, UUID(task.id), good)
    if errors:
        errors.write("".join(wrong))
    task.cursor["refused"] += len(wrong)


def _as_error(row: Row) -> str:
    """A row of the table that can be corrected and imported: why, and what stood there."""
    return UNDECODABLE.sub("\ufffd", csv_row(row.number, row.problem, *row.cells))


def _joined(right: Phrase, wrong: Wording, bad: int) -> Phrase:
    """Like '9,998 posts imported, 2 rows skipped'."""
    return BOTH(right=right, wrong=wrong(number=bad)) if bad else right
