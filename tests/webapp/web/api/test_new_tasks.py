"""Programs start tasks: of every kind, with files, for later, and as workflows."""

import io
import json
from datetime import timedelta

import pytest
from werkzeug.datastructures import FileStorage

from tests.webapp.web.api.client import pointers
from webapp.dev.factories import make_post, make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import iso, utcnow
from webapp.models import Artifact, Post, State, Task
from webapp.models.scopes import Scope

COUNTDOWN = {"kind": "countdown", "arguments": {"seconds": 5}}
CSV = b"body\nHello\n"


def form(name: str = "posts.csv", data: bytes = CSV, **parts: object) -> dict:
    """The parts of a form with one file."""
    return {"data": {"kind": "import_posts", "file": (io.BytesIO(data), name), **parts}}


def test_a_task_is_started_and_said_where_it_is(anns):
    answer = anns.post("/tasks", COUNTDOWN)
    task = Task.get()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/tasks/{task.id}")
    assert (answer.json["kind"], answer.json["state"], answer.json["arguments"]) == (
        "countdown",
        "pending",
        {"seconds": 5},
    )
    assert answer.headers["Retry-After"] == "2"
    seen = anns.get(answer.headers["Location"])
    assert (seen.json, seen.headers["ETag"]) == (answer.json, answer.headers["ETag"])
    assert (task.user, task.request_id) == (anns.user, answer.headers["X-Request-ID"])


def test_what_may_be_left_out_has_its_default(anns):
    assert anns.post("/tasks", {"kind": "countdown"}).json["arguments"] == {"seconds": 60}


def test_a_start_costs_as_much_however_much_there_is(anns, queries, allow):
    allow(Quota.ACTIVE_TASKS, 100)
    allow(Quota.LAUNCHES, 100)
    numbers = []
    for _ in range(3):
        with queries() as seen:
            assert anns.post("/tasks", COUNTDOWN).status_code == 201
        numbers.append(seen.count)
        for _ in range(5):
            make_task(State.SUCCEEDED, anns.user)
    assert len(set(numbers[1:])) == 1
    assert numbers[1] <= 15


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {""}),
        ({"kind": "nothing"}, {"/kind"}),
        ({"kind": "delete_accounts"}, {"/kind"}),
        ({"kind": 5}, {"/kind"}),
        ({"kind": "countdown", "arguments": {"seconds": 0}}, {"/arguments/seconds"}),
        (
            {"kind": "countdown", "arguments": {"seconds": True, "minutes": 1}},
            {"/arguments/seconds", "/arguments/minutes"},
        ),
        ({"kind": "countdown", "arguments": [5]}, {"/arguments"}),
        ({"kind": "countdown", "title": "Mine"}, {"/title"}),
        ({"kind": "countdown", "color": "red"}, {"/color"}),
        ({"kind": "import_posts"}, {"/arguments/file"}),
        ({"kind": "import_posts", "arguments": {"file": "posts.csv"}}, {"/arguments/file"}),
        ({"chain": []}, {"/chain"}),
        ({"chain": [COUNTDOWN, {"kind": "countdown", "arguments": {"seconds": "x"}}]}, {"/chain/1/arguments/seconds"}),
        ({"chord": {"header": [COUNTDOWN]}}, {"/chord/body"}),
        ({"chain": [COUNTDOWN], "group": [COUNTDOWN]}, {""}),
    ],
)
def test_what_is_wrong_is_told_at_its_pointer(anns, body, errors):
    answer = anns.post("/tasks", body)
    assert (answer.status_code, set(pointers(answer))) == (422, errors)
    assert not Task.select().exists()


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-30", "like 2026-11-30T09:00:00Z"),
        ("2020-01-01T00:00:00Z", "future"),
        ("2999-01-01T00:00:00Z", "within the next year"),
        ("2026-11-30T09:00:00", "like 2026-11-30T09:00:00Z"),
    ],
)
def test_a_time_is_refused_as_in_forms(anns, moment, words):
    answer = anns.post("/tasks", COUNTDOWN | {"run_at": moment})
    assert answer.status_code == 422
    assert words in pointers(answer)["/run_at"]
    assert not Task.select().exists()


def test_a_task_is_scheduled(anns):
    moment = (utcnow() + timedelta(days=300)).replace(microsecond=0)
    answer = anns.post("/tasks", COUNTDOWN | {"run_at": iso(moment)})
    assert (answer.status_code, answer.json["state"], answer.json["run_at"]) == (201, "scheduled", iso(moment))
    assert Task.get().run_at == moment


def test_a_workflow_is_started_as_the_tree_says(anns, run_tasks):
    tree = {"chain": [COUNTDOWN, {"group": [{"kind": "export_posts"}, COUNTDOWN]}], "title": "My evening"}
    answer = anns.post("/tasks", tree)
    assert (answer.status_code, answer.json["kind"], answer.json["title"]) == (201, "workflow", "My evening")
    assert anns.get(answer.headers["Location"]).headers["ETag"] == answer.headers["ETag"]
    assert Task.select().count() == 5


# Files


def test_files_come_as_parts_that_are_named_by_their_parameter(anns, run_tasks):
    answer = anns.post("/tasks", **form())
    assert (answer.status_code, answer.json["arguments"]["file"]["name"]) == (201, "posts.csv")
    run_tasks()
    assert [post.body for post in Post.select()] == ["Hello"]


def test_several_files_of_one_name_are_a_list(anns):
    files = [FileStorage(io.BytesIO(b"picture"), f"{number}.png") for number in range(3)]
    answer = anns.post("/tasks", data={"kind": "resize_images", "files": files})
    assert [file["name"] for file in answer.json["arguments"]["files"]] == ["0.png", "1.png", "2.png"]
    assert Artifact.select().count() == 3


@pytest.mark.parametrize("as_file", [False, True])
def test_the_arguments_beside_files_are_json_as_a_text_or_as_a_file(anns, as_file):
    text = json.dumps({"seconds": 7})
    part = (
        FileStorage(io.BytesIO(text.encode()), "arguments.json", content_type="application/json") if as_file else text
    )
    answer = anns.post("/tasks", data={"kind": "countdown", "arguments": part}, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["arguments"]) == (201, {"seconds": 7})


@pytest.mark.parametrize(
    ("parts", "status", "errors"),
    [
        (form("posts.exe"), 422, {"/arguments/file"}),
        (form(data=b""), 422, {"/arguments/file"}),
        (form("posts.json", b"{"), 422, {"/arguments/file"}),  # as its preview says
        (form(more=(io.BytesIO(b"a"), "a.csv")), 422, {"/arguments/more"}),
        (form(arguments='{"file": "posts.csv"}'), 422, {"/arguments/file"}),
        (form(arguments="no json"), 400, set()),
        (form(seconds="5"), 422, {"/seconds"}),
        (form(kind=["import_posts", "countdown"]), 422, {"/kind"}),
        (form(chain="[]"), 422, {"/chain"}),
        ({"data": {"kind": "import_posts"}, "content_type": "multipart/form-data"}, 422, {"/arguments/file"}),
    ],
)
def test_what_is_wrong_with_a_form_is_told_as_of_json(anns, parts, status, errors):
    answer = anns.post("/tasks", **parts)
    assert (answer.status_code, set(pointers(answer))) == (status, errors)
    assert not Task.select().exists()


def test_what_is_neither_json_nor_such_a_form_is_not_read(anns):
    assert (
        anns.post("/tasks", data="kind=countdown", content_type="application/x-www-form-urlencoded").status_code == 415
    )


# What else refuses a start


def test_such_a_task_that_is_under_way_is_named(anns):
    first = anns.post("/tasks", {"kind": "export_posts"})
    answer = anns.post("/tasks", {"kind": "export_posts"})
    assert (answer.status_code, answer.json["task"]) == (409, first.json["id"])
    assert anns.post("/tasks", {"chain": [COUNTDOWN, {"kind": "export_posts"}]}).status_code == 409
    assert Task.select().count() == 1


@pytest.mark.parametrize(("quota", "status"), [(Quota.ACTIVE_TASKS, 422), (Quota.LAUNCHES, 429)])
def test_quotas_are_those_of_pages(anns, allow, quota, status):
    allow(quota, 1)
    anns.post("/tasks", COUNTDOWN)
    answer = anns.post("/tasks", COUNTDOWN)
    assert (answer.status_code, answer.json["quota"]) == (status, quota)
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert Task.select().count() == 1


def test_a_start_needs_its_scope(program_of):
    reader = program_of(make_user(), Scope.TASKS_READ)
    assert reader.post("/tasks", COUNTDOWN).status_code == 403
    assert not Task.select().exists()


# Undo


def test_what_a_task_did_is_undone_by_another(anns, run_tasks):
    done = anns.post("/tasks", **form()).json["id"]
    run_tasks()
    make_post(anns.user, "Mine")
    answer = anns.post(f"/tasks/{done}/undo")
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/tasks/{answer.json['id']}")
    run_tasks()
    assert [post.body for post in Post.select()] == ["Mine"]
    again = anns.post(f"/tasks/{done}/undo")
    assert (again.status_code, again.json["state"]) == (409, "succeeded")


def test_what_cannot_be_undone_is_told_and_somebody_elses_is_not_there(anns):
    mine, theirs = make_task(State.SUCCEEDED, anns.user), make_task(State.SUCCEEDED)
    assert anns.post(f"/tasks/{mine.id}/undo").status_code == 409
    assert anns.post(f"/tasks/{theirs.id}/undo").status_code == 404
