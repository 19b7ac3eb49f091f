"""The schedule: what will start by itself, and when; of everybody, and of the site itself."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from webapp.models import Task
from webapp.models.schedule import MOST_LOOKED_THROUGH, upcoming
from webapp.web.auth import signed_in_user
from webapp.web.forms.schedule import ScheduleFilterForm
from webapp.web.paging import Page, page_of_places
from webapp.web.presenters.desk.recurring import recurring
from webapp.web.presenters.desk.task_rows import kind_words, people
from webapp.web.routes.desk.blueprint import bp

PAGE_SIZE = 50


@bp.get("/schedule")
def schedule() -> ResponseReturnValue:
    """What waits for its time, the soonest first, and the site's own recurring work."""
    form, cursor = ScheduleFilterForm(request.args), request.args.get("after")
    tasks = Page([], None)
    if not form.errors:
        find = lambda after: upcoming(PAGE_SIZE, after, form.kind.data, form.owner_id)  # noqa: E731
        tasks = page_of_places(Task, cursor, find)
    page = render_template(
        "desk/schedule/show.html",
        form=form,
        tasks=tasks,
        owners=people(task.user_id for task in tasks.items),
        searched=MOST_LOOKED_THROUGH if tasks.next and len(tasks.items) < PAGE_SIZE else 0,
        kind_words=kind_words,
        recurring=recurring(),
        zone=signed_in_user().time_zone,
    )
    return page, 422 if form.errors else 200
