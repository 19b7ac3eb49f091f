"""Why tasks fail: the causes, each with what it has felled."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from webapp.models import State, Task, failure_list
from webapp.models.failure_list import COUNTED_AT_MOST, MOST_GROUPS, Window
from webapp.models.permissions import Action, may
from webapp.web.auth import signed_in_user
from webapp.web.forms.failures import FailureFilterForm
from webapp.web.presenters.desk.kind_words import bounded, cause_words, kind_label, kind_note
from webapp.web.routes.desk.blueprint import bp

_WORDS = {
    "windows": {Window.HOUR: "1 hour", Window.DAY: "24 hours", Window.WEEK: "7 days"},
    "cause_words": cause_words,
    "kind_label": kind_label,
    "kind_note": kind_note,
    "bounded": lambda found: bounded(found, COUNTED_AT_MOST),
}


@bp.get("/failures")
def failures() -> ResponseReturnValue:
    """The causes that the filter lets through. Viewers read no message. One query, and those of any page."""
    user, form = signed_in_user(), FailureFilterForm(request.args)
    groups = form.filter.groups() if not form.errors else []
    page = render_template(
        "desk/failures/index.html",
        form=form,
        groups=groups,
        is_cut=len(groups) == MOST_GROUPS,
        most=MOST_GROUPS,
        shows_details=may(user, Action.STEER),
        zone=user.time_zone,
        **_WORDS,
    )
    return page, 422 if form.errors else 200


@bp.get("/failures/<string(length=16):fingerprint>")
def failure(fingerprint: str) -> ResponseReturnValue:
    """One cause with its traceback and what its latest task said, which viewers do not read; and its newest tasks.

    Four queries.
    """
    user, found = signed_in_user(), failure_list.find(fingerprint)
    if found is None:
        abort(404)
    tasks, shows_details = failure_list.newest_tasks(fingerprint), may(user, Action.STEER)
    return render_template(
        "desk/failures/show.html",
        found=found,
        group=found.group,
        count=failure_list.count_tasks(fingerprint),
        tasks=tasks,
        latest=_latest_words(tasks) if shows_details else "",
        shows_details=shows_details,
        zone=user.time_zone,
        **_WORDS,
    )


def _latest_words(tasks: list[Task]) -> str:
    """Why the newest failed, with the values that the message of the cause leaves out; empty if none is failed."""
    failed = (task for task in tasks if task.state == State.FAILED)
    return next((task.error_words(task.user.shown_name) for task in failed), "")
