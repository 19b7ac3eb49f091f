"""What somebody stores: how much of how much, each file of it, and letting go of files."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.config import config
from webapp.lib.i18n import ngettext
from webapp.lib.quota_variables import Quota
from webapp.models import Artifact
from webapp.models.file_deletion import delete_of_finished_tasks
from webapp.models.quotas import most_of
from webapp.models.storage_count import stored_by_kind
from webapp.models.stored_file import Order
from webapp.models.stored_files import SOURCES, files_of
from webapp.web.auth import signed_in_user
from webapp.web.ownership import refuse
from webapp.web.presenters import stored_files
from webapp.web.presenters.storage import StorageUse, guest_storage
from webapp.web.presenters.stored_files import cursor_of, read_cursor, read_value
from webapp.web.routes.settings.blueprint import bp

PAGE_SIZE = 50
MORE = "There are more. Press again to delete them, too."
NOTHING_SELECTED = "Select at least one file first."


@bp.get("/storage")
def show_storage() -> ResponseReturnValue:
    """How much is used, by what it is, and a page of all files. Three queries, however many files there are."""
    return _page()


@bp.post("/storage")
def delete_files() -> ResponseReturnValue:
    """Delete the file of `only`, those that are selected, or all of finished tasks. What is needed stays."""
    only, names = request.form.get("only"), request.form.getlist("file")[:PAGE_SIZE]
    if only is None and request.form.get("action") == "finished":
        result = delete_of_finished_tasks(signed_in_user())
        flash(f"{_deleted(result.number)} {MORE if result.are_more else ''}".strip())
        return _done()
    keys = {key for key in map(read_value, names if only is None else [only]) if key is not None}
    if only is not None and not keys:
        abort(404)
    if not keys:
        return _page(NOTHING_SELECTED), 422
    flash(_delete(keys))
    return _done()


def _delete(files: set[tuple[str, UUID | int]]) -> str:
    """Delete what may go, and say what became of it. Aborts with 404 for what is somebody else's."""
    user = signed_in_user()
    by_source = {source: {key for name, key in files if name == letter} for letter, source in SOURCES.items()}
    for source, keys in by_source.items():
        for stranger in source.strangers(user, keys):
            if isinstance(stranger, UUID):  # which nobody can guess
                refuse(Artifact, stranger)
            abort(404)
    number = sum(source.delete(user, keys) for source, keys in by_source.items())
    kept = len(files) - number
    left = ngettext(
        "%(num)s file is still needed, or was gone already.",
        "%(num)s files are still needed, or were gone already.",
        kept,
    )
    return f"{_deleted(number)} {left if kept else ''}".strip()


def _deleted(number: int) -> str:
    return ngettext("%(num)s file deleted.", "%(num)s files deleted.", number) if number else "Nothing was deleted."


def _done() -> ResponseReturnValue:
    before = request.args.get("before")
    return redirect(url_for("settings.show_storage", order=_order(), before=before), 303)


def _order() -> Order:
    return Order.AGE if request.args.get("order") == Order.AGE else Order.SIZE


def _page(problem: str = "") -> str:
    user, order, before = signed_in_user(), _order(), request.args.get("before")
    found = files_of(user, order, read_cursor(before, order) if before else None, PAGE_SIZE + 1)
    files, kinds = found[:PAGE_SIZE], stored_by_kind(user.id)
    return render_template(
        "settings/storage.html",
        files=files,
        in_row=stored_files,
        following=cursor_of(files[-1], order) if len(found) > PAGE_SIZE else None,
        order=order,
        before=before,
        kinds=kinds,
        use=StorageUse(sum(kinds.values()), most_of(Quota.STORAGE, user)),
        with_password=guest_storage(),
        keep=config().keep_tasks,
        problem=problem,
    )
