"""What belongs to a task: its timeline, and the children of a workflow."""

from uuid import uuid4

import pytest

from tasks.engine.models import phrases
from tasks.engine.models.composition import Composition
from tests.webapp.web.api.client import Program, pointers
from tests.webapp.web.api.test_task_list import ids, make, names, pages
from webapp.db import database, is_postgres
from webapp.dev.factories import make_task, make_user
from webapp.models import State, Task, TaskEvent
from webapp.models.permissions import Role
from webapp.models.scopes import Scope


@pytest.fixture
def workflow(anns):
    return make(anns.user, State.IN_PROGRESS, name="", composition=Composition.GROUP, share=0.5)


def viewer(app, role=Role.VIEWER):
    return Program(app, make_user(role=role, totp_secret="sealed"), [Scope.TASKS_READ, Scope.DESK_READ])


def test_a_timeline_is_read_from_its_beginning(anns):
    task = make_task(State.SCHEDULED, anns.user, run_at=None)
    task.cancel()
    found = anns.get(f"/tasks/{task.id}/events").json
    assert [event["type"] for event in found["items"]] == ["launched", "canceled"]
    assert found["items"][1]["words"] == "Canceled by you"
    assert all(event["at"].endswith("Z") and event["task"] is None for event in found["items"])
    assert found["next"] is None


def test_a_long_timeline_comes_page_by_page(anns):
    task = make_task(State.IN_PROGRESS, anns.user)
    for number in range(10):
        TaskEvent.write(task.id, "log", f"Line {number}")
    found = pages(anns, f"/tasks/{task.id}/events", limit=5)
    assert [len(page) for page in found] == [5, 5, 2]
    assert [event["words"] for page in found for event in page][2:] == [f"Line {number}" for number in range(10)]
    assert [event["id"] for page in found for event in page] == sorted(event["id"] for page in found for event in page)


def test_an_event_may_tell_of_another_task(anns, app):
    task, other = make(anns.user), make(anns.user)
    TaskEvent.write(task.id, "undone", phrases.UNDONE(what="12 posts deleted"), link=other.id)
    assert anns.get(f"/tasks/{task.id}/events").json["items"][0]["task"] == str(other.id)
    assert viewer(app).get(f"/tasks/{task.id}/events").json["items"][0]["task"] is None


def test_a_viewer_reads_of_others_what_any_task_could_say(anns, app):
    task = make(anns.user, State.IN_PROGRESS)
    for words in (phrases.STARTED_BY_OWNER(), phrases.RETRYING(error="x@example.com", attempt=1, attempts=3), "Mine"):
        TaskEvent.write(task.id, "log", words)
    said = [event["words"] for event in viewer(app).get(f"/tasks/{task.id}/events").json["items"]]
    assert said == ["Started by ann", None, None]
    said = [event["words"] for event in viewer(app, Role.OPERATOR).get(f"/tasks/{task.id}/events").json["items"]]
    assert said == ["Started by ann", "x@example.com Retrying (attempt 1 of 3)", "Mine"]


def test_children_come_in_the_order_in_which_they_were_created(anns, workflow):
    children = [make(anns.user, State.WAITING, parent=workflow, root=workflow) for _ in range(5)]
    path = f"/tasks/{workflow.id}/children"
    assert ids(anns, path, limit=2) == names(children)
    assert {child["parent"] for page in pages(anns, path) for child in page} == {str(workflow.id)}
    assert ids(anns, f"/tasks/{children[0].id}/children") == []


@pytest.mark.parametrize("part", ["events", "children"])
def test_what_belongs_to_somebody_elses_task_is_not_there(anns, program_of, app, part):
    task = make(anns.user)
    assert program_of(make_user()).get(f"/tasks/{task.id}/{part}").status_code == 404
    assert anns.get(f"/tasks/{uuid4()}/{part}").status_code == 404
    assert viewer(app).get(f"/tasks/{task.id}/{part}").status_code == 200


@pytest.mark.parametrize("part", ["events", "children"])
def test_a_cursor_is_good_for_one_task(anns, workflow, part):
    other = make(anns.user, State.IN_PROGRESS, name="", composition=Composition.GROUP, share=0.5)
    for task in (workflow, other):
        for _ in range(3):
            make(anns.user, State.WAITING, parent=task, root=task)
            TaskEvent.write(task.id, "log", "Hello")
    cursor = anns.get(f"/tasks/{workflow.id}/{part}?limit=1").json["next"]
    assert anns.get(f"/tasks/{workflow.id}/{part}?limit=1&cursor={cursor}").status_code == 200
    refused = anns.get(f"/tasks/{other.id}/{part}?limit=1&cursor={cursor}")
    assert list(pointers(refused)) == ["cursor"]


def test_a_page_of_thousands_costs_what_a_page_of_ten_does(each_database, queries):
    program = Program(each_database, make_user())
    workflow = make(program.user, State.IN_PROGRESS, name="", composition=Composition.GROUP, share=0.5)
    make(program.user, State.WAITING, parent=workflow, root=workflow)
    child = Task.get(Task.parent == workflow)
    rows = [child.__data__ | {"id": uuid4(), "title": f"Part {number}"} for number in range(1000)]
    another = make(program.user, State.IN_PROGRESS, name="", composition=Composition.GROUP, share=0.5)
    # Of another workflow there are many more: else it is as cheap to look for these among all children.
    rows += [row | {"id": uuid4(), "parent": another.id, "root": another.id} for row in rows * 5]
    other = make(program.user)
    lines = [
        {"task": task.id, "kind": "log", "text": "Hello"} for task in (other, other, workflow, other, other)
    ] * 1000
    with database.atomic():
        for begin in range(0, len(rows), 500):
            Task.insert_many(rows[begin : begin + 500]).execute()
        for begin in range(0, len(lines), 500):
            TaskEvent.insert_many(lines[begin : begin + 500]).execute()
    if is_postgres():
        database.execute_sql("ANALYZE tasks, task_events")
    for part, index in (("children", "tasks_children"), ("events", "task_events_of_task")):
        path = f"/tasks/{workflow.id}/{part}?limit=50"
        cursor = program.get(path).json["next"]
        with queries(3) as seen:  # the token, the task, the page
            assert len(program.get(f"{path}&cursor={cursor}").json["items"]) == 50
        sql, values = seen.get_queries()[-1].msg
        explained = f"EXPLAIN {'' if is_postgres() else 'QUERY PLAN '}{sql}"
        plan = str(database.execute_sql(explained, values).fetchall())
        assert index in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
