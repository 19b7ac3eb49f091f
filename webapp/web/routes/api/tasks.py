"""Tasks: what programs read of them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import request

from tasks.engine.models.state import FINISHED
from webapp.models import Task, TaskEvent
from webapp.models.scopes import Scope
from webapp.models.task_version import present_version, version_of
from webapp.web.api.call import Call
from webapp.web.api.finding import find_task
from webapp.web.api.operation import Answer, operation
from webapp.web.api.pages import PAGING, page_of
from webapp.web.api.problems import FORBIDDEN, NOT_FOUND
from webapp.web.api.resource import Listed
from webapp.web.api.resources.event import EVENT, SeenEvent
from webapp.web.api.resources.seen_task import SeenTask, see
from webapp.web.api.resources.task import TASK
from webapp.web.api.task_query import TASK_QUERY, task_list
from webapp.web.api.waiting import preferred_wait, wait
from webapp.web.paging import Page, page_by_number, page_of_places, page_upwards

READ: Final[Mapping[str, Any]] = {"allows": Scope.TASKS_READ, "desk": Scope.DESK_READ}


@operation(
    "GET",
    "/tasks",
    **READ,
    answers={200: Listed(TASK)},
    query=TASK_QUERY,
    problems=(FORBIDDEN, NOT_FOUND),
)
def list_tasks(call: Call) -> Answer:
    """Your tasks, the latest first: as they were created, or as they ended where only such are wanted.

    Tasks that come while you page are neither skipped nor do they move others: begin again to see them.
    """
    wanted = task_list(call)

    def find(cursor: str | None, limit: int) -> Page:
        found = page_of_places(Task, cursor, lambda place: wanted.page(place, limit))
        return Page(see(call.user, found.items), found.next)

    return page_of(call, find, TASK)


@operation("GET", "/tasks/{task_id}", **READ, answers={200: TASK, 304: None}, waits=True)
def show_task(call: Call, task_id: UUID) -> Answer:
    """One task.

    Until it is done, “Retry-After” says when to ask again. With the header “Prefer: wait=N” the answer may come up to N
    seconds later, 20 at most: once the task is done; or, with “If-None-Match”, once it has changed otherwise than by
    its place in the queue. “Preference-Applied” says so; without that, there was no room to wait.
    """
    seen = _seen(call, task_id)
    waited = _wait_for_news(seen)
    if waited:
        seen = _seen(call, task_id)
    return Answer(TASK.of(seen), headers={"Vary": "Prefer", **seen.retry_after, **waited}, etag=seen.etag)


def _seen(call: Call, task_id: UUID) -> SeenTask:
    return see(call.user, [find_task(call, task_id)])[0]


def _wait_for_news(seen: SeenTask) -> dict[str, str]:
    """Wait as the client prefers; the header that says so, if any. A query each time that it looks."""
    is_known = request.if_none_match.contains(seen.etag)
    if seen.task.is_finished or (request.if_none_match and not is_known):
        return {}  # there is something to say
    before = version_of(seen.task)

    def is_news() -> bool:
        version = present_version(seen.task.id)
        return version is None or (version != before if is_known else version[0] in FINISHED)

    return wait(preferred_wait(), is_news)


@operation("GET", "/tasks/{task_id}/children", **READ, answers={200: Listed(TASK)}, query=PAGING)
def list_children(call: Call, task_id: UUID) -> Answer:
    """The tasks of which a workflow is made, in the order in which they were created; none of any other task."""
    parent = find_task(call, task_id)

    def find(cursor: str | None, limit: int) -> Page:
        found = page_upwards(Task.below(parent.id), cursor, limit)
        return Page(see(call.user, found.items), found.next)

    return page_of(call, find, TASK, task_id=task_id)


@operation("GET", "/tasks/{task_id}/events", **READ, answers={200: Listed(EVENT)}, query=PAGING)
def list_events(call: Call, task_id: UUID) -> Answer:
    """What happened to a task, the oldest first."""
    task = find_task(call, task_id)
    [seen] = see(call.user, [task])

    def find(cursor: str | None, limit: int) -> Page:
        found = page_by_number(task.timeline(), cursor, TaskEvent.id, limit, upwards=True)
        return Page([SeenEvent(event, seen) for event in found.items], found.next)

    return page_of(call, find, EVENT, task_id=task_id)
