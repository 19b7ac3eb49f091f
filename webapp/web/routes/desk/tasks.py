"""Everybody's tasks: a filter, which the URL saves, and the list of what it lets through."""

from dataclasses import replace
from hashlib import blake2b
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.models.state import FINISHED
from webapp.lib.i18n import number
from webapp.models import State, Task
from webapp.models.desk_filter import DeskFilter
from webapp.models.desk_parts import MOST_LOOKED_AT
from webapp.models.desk_query import BadFilter, describe, written
from webapp.models.permissions import Action, may
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk_tasks import DeskFilterForm, filter_asked
from webapp.web.paging import Page, page_of_places
from webapp.web.polling import conditional_public_fragment
from webapp.web.presenters.desk.state_counts import state_counts
from webapp.web.presenters.desk.task_rows import rows_of
from webapp.web.routes.desk.blueprint import bp

ON_A_PAGE = 50


@bp.get("/tasks")
def tasks() -> ResponseReturnValue:
    """The tasks that the query lets through, the latest first; 422 with what is wrong with it.

    At most six queries, one for each group of states, and three more for the name of an owner. A query is led on to the
    one that says the same shortest: who keeps the address has the search.
    """
    user, sent = signed_in_user(), request.args.to_dict()
    before = sent.pop("before", None)
    try:
        asked = filter_asked(sent, may_steer=may(user, Action.STEER), zone=user.time_zone)
    except BadFilter as error:
        form = DeskFilterForm(DeskFilter(), sent, error.problems, user.time_zone)
        return render_template("desk/tasks/index.html", form=form, states=[], **_list(None, None)), 422
    if (query := written(asked)) != sent:
        return redirect(address_of(query, before), 302)
    form = DeskFilterForm(asked, sent, {}, user.time_zone)
    return render_template(
        "desk/tasks/index.html", form=form, states=state_counts(asked.states), **_list(asked, before)
    )


@bp.get("/tasks/_list")
def tasks_fragment() -> ResponseReturnValue:
    """The list, as the page includes it; what it is made of is its version."""
    user, sent = signed_in_user(), request.args.to_dict()
    before = sent.pop("before", None)
    try:
        asked = filter_asked(sent, may_steer=may(user, Action.STEER), zone=user.time_zone)
    except BadFilter:
        asked = None
    shown = _list(asked, before)
    made_of = [f"{row.task.id}{row.task.moves}{row.task.updated_at}" for row in shown["rows"]]
    version = f"{user.id}-{user.changes}-{version_of([*made_of, shown['next'] or ''])}"
    return conditional_public_fragment(version, lambda: render_template("desk/tasks/_list.html", **shown))


def _list(asked: DeskFilter | None, before: str | None) -> dict[str, Any]:
    """What the list needs. It is empty without a filter, as is one that nobody understands."""
    found = Page([], None)
    if asked:
        found = page_of_places(Task, before, lambda place: asked.page(place, ON_A_PAGE))
    return {
        "rows": rows_of(found.items),
        "next": found.next,
        "is_full": len(found.items) == ON_A_PAGE,
        "before": before,
        "asked": asked,
        "query": written(asked) if asked else {},
        "words": describe(asked, signed_in_user().time_zone) if asked else "",
        "looked_at": number(MOST_LOOKED_AT),
        "ended_then": _ended_then(asked) if asked and not found.items and not found.next else None,
    }


def _ended_then(asked: DeskFilter) -> str | None:
    """Where it is asked for what failed in some time, of which some may have been retried since though numbers count
    it: the page of all that ended then, empty if this is it. None for any other filter."""
    if State.FAILED not in asked.states or not (asked.ended_after or asked.ended_before):
        return None
    return "" if asked.states >= FINISHED else address_of(written(replace(asked, states=frozenset())))


def address_of(query: dict[str, str], before: str | None = None) -> str:
    """Of the page of the tasks that a query lets through."""
    said: dict[str, Any] = {**query, "before": before}
    return url_for("desk.tasks", **said)


def version_of(made_of: list[str]) -> str:
    """What a list of texts has in common with no other."""
    return blake2b("\0".join(made_of).encode(), digest_size=8).hexdigest()
