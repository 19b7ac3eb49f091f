"""Hand a person everything that the site has about them, as one ZIP file."""

from typing import cast

from flask import current_app
from peewee import Expression

from tasks.engine import Run, TaskError, user_task
from tasks.lib.account_zip import AccountZip, beginning
from tasks.lib.exported import exported_models, number_of_steps
from tasks.lib.exported.readme import NAME as README
from tasks.lib.exported.readme import readme
from tasks.lib.exported.work import EXPORT_NAME
from tasks.lib.streamed_zip import StreamedZip
from webapp.db import database
from webapp.lib.phrases import phrase
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import AccountMail, Artifact, ArtifactWriter, Task, User
from webapp.models.quotas import use

FILE, ENTRIES = "your-data.zip", "your-data.entries"

TITLE = phrase("export_account.title", "Everything in your account", others="Everything in {owner}’s account")
COLLECTING = phrase("export_account.collecting", "Collecting {what}")
COLLECTING_FILES = phrase("export_account.files", "Collecting your files")
FINISHING = phrase("export_account.finishing", "Finishing the file")
REPLACED = phrase("export_account.replaced", "A later export took the place of this one. Start a new one in Settings.")


@user_task(title=TITLE, one_at_a_time=True, retries=2, listed=False, may_exceed_storage=True)
def export_account(task: Run) -> None:
    """Get everything that this site has about you in one ZIP file, with a README that says what each part of it is."""
    user = cast(User, task.user)
    if task.cursor is None:
        task.cursor, task.total = beginning(), number_of_steps(user)
        _let_go_of_earlier(task, Artifact.completed_at.is_null())
    with task.artifact(FILE) as out, task.artifact(ENTRIES, is_shown=False) as entries:
        _refuse_replaced(out)
        file = StreamedZip(out, entries, task.cursor)
        _write_parts(task, file, user)
        task.stage(FINISHING())
        if task.cursor["directory_at"] is None:
            task.total = task.done + entries.artifact.number
        file.end(task.each(entries.artifact.chunks(), every_step=True))
    entries.artifact.delete_instance()
    _let_go_of_earlier(task, Artifact.expired_at.is_null())


def begin_export(user: User) -> None:
    """Start one, and tell the address of the account that somebody asked for it.

    Raises AlreadyRunning and OverQuota, having done nothing.
    """
    with database.atomic():
        export_account.launch(user)
        use(Quota.EXPORTS, user)
        AccountMail.tell(user, "data_asked")


def latest_export(user: User) -> Task | None:
    """The export that somebody asked for last, if their list of tasks still has it. One query, by index."""
    found: Task | None = Task.of(user).where(Task.name == EXPORT_NAME).first()
    return found


def _write_parts(task: Run, file: StreamedZip, user: User) -> None:
    parts = AccountZip(task, file, task.cursor)
    parts.text(README, readme(user, current_app.config["SETTINGS"].app_name))
    parts.end_part()
    for model, row in exported_models():
        task.stage(COLLECTING(what=row.title))
        parts.rows(model, row, user)
        parts.end_part()
    for _, row in exported_models():
        if row.content:
            task.stage(COLLECTING_FILES())
            parts.files(row.content, user)
            parts.end_part()


def _refuse_replaced(out: ArtifactWriter) -> None:
    """What an earlier run wrote may be gone: a later export takes its place."""
    if not out.is_complete and (out.artifact.expires_at or out.artifact.expired_at):
        raise TaskError(REPLACED())


def _let_go_of_earlier(task: Run, which: Expression) -> None:
    """Let the next purge delete such files of earlier exports: only the latest is kept, and one that is not whole."""
    earlier = Task.select(Task.id).where(Task.user == task.user.id, Task.name == EXPORT_NAME, Task.id != task.id)
    theirs = Artifact.task.in_(earlier), Artifact.expired_at.is_null(), which
    Artifact.update(expires_at=utcnow()).where(*theirs).execute()
