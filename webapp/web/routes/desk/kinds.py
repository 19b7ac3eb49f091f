"""The kinds of tasks: how each is doing, and what an operator can decide of all tasks of one."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.models.kind_control import KindControl
from webapp.lib.times import clock_words
from webapp.models import kind_list
from webapp.models.audit import Audited
from webapp.models.statistics import MOST_UNKNOWN, OTHERS, Range, series
from webapp.models.statistics import RANGES as LENGTHS
from webapp.models.steering import noted_kind
from webapp.web.auditing import accepted, audited, audited_action
from webapp.web.auth import signed_in_user
from webapp.web.forms.kinds import LimitsForm, PauseForm
from webapp.web.presenters.desk.kind_words import brief, is_internal, kind_label, kind_note, percent
from webapp.web.presenters.desk.overview_charts import charts_of
from webapp.web.routes.desk.blueprint import bp
from webapp.web.routes.desk.overview import RANGES

_RANGES = {which: words for which, words in RANGES.items() if which != Range.MONTH}
_WORDS = {"ranges": _RANGES, "kind_label": kind_label, "kind_note": kind_note, "brief": brief, "percent": percent}
_WORDS |= {"others": OTHERS, "most_unknown": MOST_UNKNOWN}
NOT_PAUSED = "It isn’t paused any more."


class Unchanged(ValueError):
    """There is nothing to do: somebody else was faster."""


@bp.get("/kinds")
def kinds() -> ResponseReturnValue:
    """Every kind with what waits, runs and has ended in a range."""
    which = _range()
    return render_template(
        "desk/kinds/index.html", kinds=kind_list.kinds(which), which=which, zone=signed_in_user().time_zone, **_WORDS
    )


@bp.get("/kinds/<name>")
def kind(name: str) -> ResponseReturnValue:
    """One kind, with the forms that hold it."""
    return _page(name)


@bp.post("/kinds/<name>/pause")
@audited_action(Audited.PAUSE_KIND)
def pause_kind(name: str) -> ResponseReturnValue:
    """Let no task of it start until a time."""
    _demand(name)
    zone = signed_in_user().time_zone
    form = PauseForm(zone, internal=is_internal(name))
    if not accepted(form):
        return _page(name, pause=form), 422
    until = form.ends_at
    with audited(f"kind {name}", reason=form.reason.data) as entry, noted_kind(entry, name):
        KindControl.pause(name, until, form.reason.data, form.stops_running)
    flash(f"{kind_label(name)} is paused until {clock_words(until, zone)}.")
    return redirect(url_for("desk.kind", name=name), 303)


@bp.post("/kinds/<name>/resumption")
@audited_action(Audited.RESUME_KIND)
def resume_kind(name: str) -> ResponseReturnValue:
    """End its pause before its time. 422 where it is not paused, as when somebody else was faster."""
    _demand(name)
    try:
        with audited(f"kind {name}") as entry, noted_kind(entry, name):
            if not KindControl.resume(name):
                raise Unchanged(NOT_PAUSED)
    except Unchanged:
        return _page(name, problem=NOT_PAUSED), 422
    flash(f"{kind_label(name)} is no longer paused.")
    return redirect(url_for("desk.kind", name=name), 303)


@bp.post("/kinds/<name>/limits")
@audited_action(Audited.LIMIT_KIND)
def limit_kind(name: str) -> ResponseReturnValue:
    """Set how many of it run at once, in all and per person, and how fast they start."""
    _demand(name)
    form = LimitsForm()
    if not accepted(form):
        return _page(name, limits=form), 422
    with audited(f"kind {name}") as entry, noted_kind(entry, name):
        KindControl.limit(name, form.running.data, form.per_person.data, form.per_second.data)
    flash(f"The limits of {kind_label(name)} are set.")
    return redirect(url_for("desk.kind", name=name), 303)


def _range() -> Range:
    asked = request.args.get("range", Range.HOUR.value)
    if asked not in _RANGES:
        abort(404)
    return Range(asked)


def _demand(name: str) -> None:
    if not kind_list.exists(name):
        abort(404)


def _page(name: str, pause: PauseForm | None = None, limits: LimitsForm | None = None, problem: str = "") -> str:
    which, zone = _range(), signed_in_user().time_zone
    found = kind_list.find(name, which)
    if found is None:
        abort(404)
    stands = {"reason": found.control.reason} if found.control and found.paused_until else {}
    return render_template(
        "desk/kinds/show.html",
        kind=found,
        which=which,
        charts=charts_of(series(which, kind=name), LENGTHS[which].step, zone, name),
        pause=pause or PauseForm(zone, internal=is_internal(name), formdata=None, data=stands),
        limits=limits or LimitsForm.of(found.control),
        problem=problem,
        zone=zone,
        **_WORDS,
    )
