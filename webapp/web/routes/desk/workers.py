"""Workers: which there are and what they run; and which of them are to take no more tasks."""

from collections.abc import Callable
from hashlib import sha256

from flask import abort, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.presence import HEARD_EVERY
from webapp.models import Worker
from webapp.models.audit import Audited
from webapp.models.permissions import Action, may
from webapp.web.auditing import accepted, audited, audited_action
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk import FreeReasonForm
from webapp.web.polling import conditional_public_fragment
from webapp.web.presenters.desk.workers import ShownWorkers
from webapp.web.routes.desk.blueprint import bp


class Unchanged(ValueError):
    """It is so already what is asked for."""


@bp.get("/workers")
def workers() -> ResponseReturnValue:
    """All that live, and those that were there minutes ago. Two queries besides those of any page."""
    return _page(FreeReasonForm(formdata=None))


@bp.get("/workers/_list")
def workers_fragment() -> ResponseReturnValue:
    """The same as a part of that page, which asks for itself."""
    shown, user = _shown(), signed_in_user()
    seen = f"{user.id} {may(user, Action.STEER)} {user.time_zone} {shown.version(user.time_zone)}"
    version = sha256(seen.encode()).hexdigest()[:20]
    return conditional_public_fragment(version, lambda: render_template("desk/workers/_list.html", workers=shown))


@bp.post("/workers/<worker>/quiet")
@audited_action(Audited.QUIET_WORKER)
def quiet(worker: str) -> ResponseReturnValue:
    """Let a worker finish what it runs and take no more."""
    found = _find(worker)
    return _turn(found, found.quiet, f"{found.name} finishes what it runs, and takes no more tasks.")


@bp.post("/workers/<worker>/resumption")
@audited_action(Audited.RESUME_WORKER)
def resume(worker: str) -> ResponseReturnValue:
    """Let a quiet worker take tasks again."""
    found = _find(worker)
    return _turn(found, found.resume, f"{found.name} takes tasks again.")


def _find(token: str) -> Worker:
    """The worker of a token, or 404. One query."""
    return Worker.find(token) or abort(404)


def _turn(worker: Worker, change: Callable[[], bool], done: str) -> ResponseReturnValue:
    """Do it and say what was done, unless there was nothing to do."""
    form = FreeReasonForm()
    if not accepted(form):
        return _page(form), 422
    try:
        with audited(f"worker {worker.token}", reason=form.reason.data):
            if not change():
                raise Unchanged("It was so already, or gone.")
    except Unchanged:
        flash(f"{worker.name} does that already, is gone, or is of an older release, which knows no quiet.")
    else:
        flash(f"{done} It hears of that within {HEARD_EVERY:.0f} seconds.")
    return redirect(url_for("desk.workers"), 303)


def _page(form: FreeReasonForm) -> str:
    return render_template("desk/workers/index.html", workers=_shown(), reason=form)


def _shown() -> ShownWorkers:
    return ShownWorkers(current_app.config["RELEASE"])
