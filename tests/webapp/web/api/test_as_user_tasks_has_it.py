"""The cases that django-user-tasks tests of its REST API, each with what holds here.

Whose task it is, and what is seen of it, is as there. It differs in three ways, which are meant:
- Who shows no token is told to (401 with WWW-Authenticate), where it answers 403.
- Its superuser is an admin here, whose token names the desk. They see and steer everybody's tasks, but nobody reads
  what a task has made for somebody else: those are private files, and no role is a reason to open them.
- An active task is not deleted: it is canceled first. There, a row may go while its task runs on.
"""

from datetime import timedelta

import pytest

from tasks.engine.models.artifact import Kind
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.models.permissions import Role
from webapp.models.scopes import Scope
from webapp.web.api.resource import time

YESTERDAY = utcnow() - timedelta(days=1)


@pytest.fixture
def owner(program_of):
    """A program of whoever started the tasks."""
    return program_of(make_user("test_user"))


@pytest.fixture
def status(owner) -> Task:
    """A task that waits, of five steps."""
    return make_task(State.PENDING, owner.user, title="SampleTask 2", total=5)


@pytest.fixture
def older_status(owner) -> Task:
    """One from the day before."""
    return make_task(
        State.PENDING, owner.user, title="SampleTask 1", total=5, created_at=YESTERDAY, updated_at=YESTERDAY
    )


@pytest.fixture
def artifact(status):
    """What that has made so far."""
    return make_artifact(status, "Output", "Lorem ipsum", kind=Kind.TEXT)


@pytest.fixture(params=["owner", "superuser", "other user", "anonymous"])
def who(request, owner, program_of):
    """Who asks, and their program."""
    programs = {
        "owner": lambda: owner,
        "superuser": lambda: program_of(make_user("admin", role=Role.ADMIN, totp_secret="sealed")),
        "other user": lambda: program_of(make_user("other_user")),
        "anonymous": program_of,
    }
    return request.param, programs[request.param]()


def _demand_token(who: str, answer) -> None:
    if who == "anonymous":
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


# Artifacts


def test_artifact_detail(who, artifact):
    name, program = who
    answer = program.get(f"/artifacts/{artifact.id}")
    assert answer.status_code == {"owner": 200, "superuser": 404, "other user": 404, "anonymous": 401}[name]
    _demand_token(name, answer)
    if name == "owner":
        assert (answer.json["id"], answer.json["text"]) == (str(artifact.id), "Lorem ipsum")
    content = program.get(f"/artifacts/{artifact.id}/content")
    assert content.status_code == answer.status_code, "and no more is to be had by its content"


def test_artifact_list(who, artifact, status):
    name, program = who
    answer = program.get("/artifacts")
    assert answer.status_code == (401 if name == "anonymous" else 200)
    _demand_token(name, answer)
    if name != "anonymous":
        assert [each["id"] for each in answer.json["items"]] == ([str(artifact.id)] if name == "owner" else [])
    of_task = program.get(f"/tasks/{status.id}/artifacts")
    assert of_task.status_code == {"owner": 200, "superuser": 404, "other user": 404, "anonymous": 401}[name]


# Cancel


def test_status_cancel(who, status):
    name, program = who
    answer = program.post(f"/tasks/{status.id}/cancellation")
    assert answer.status_code == {"owner": 200, "superuser": 200, "other user": 404, "anonymous": 401}[name]
    _demand_token(name, answer)
    assert status.reload().state == (State.CANCELED if name in ("owner", "superuser") else State.PENDING)


def test_status_cancel_view_only(program_of, owner, status):
    """There it is a permission to view that comes without the one to cancel. Here that is a role, or a token."""
    viewer = program_of(make_user(role=Role.VIEWER, totp_secret="sealed"))
    reader = program_of(owner.user, Scope.TASKS_READ)
    for program in (viewer, reader):
        assert program.get(f"/tasks/{status.id}").status_code == 200
        assert program.post(f"/tasks/{status.id}/cancellation").status_code == 403
        assert status.reload().state == State.PENDING


# Delete


def test_status_delete(who, status):
    name, program = who
    active = program.delete(f"/tasks/{status.id}")
    assert active.status_code == {"owner": 409, "superuser": 409, "other user": 404, "anonymous": 401}[name]
    status.cancel()
    answer = program.delete(f"/tasks/{status.id}")
    assert answer.status_code == {"owner": 204, "superuser": 204, "other user": 404, "anonymous": 401}[name]
    _demand_token(name, answer)
    assert (Task.get_or_none(Task.id == status.id) is None) == (name in ("owner", "superuser"))


# Detail and list


def test_status_detail(who, owner, status):
    name, program = who
    answer = program.get(f"/tasks/{status.id}")
    assert answer.status_code == {"owner": 200, "superuser": 200, "other user": 404, "anonymous": 401}[name]
    _demand_token(name, answer)
    if answer.status_code == 200:
        assert (answer.json["id"], answer.json["title"]) == (str(status.id), "SampleTask 2")
        assert answer.json["owner"] == {"id": owner.user.id, "username": "test_user"}


def test_status_list_newest_first(who, status, older_status):
    name, program = who
    answer = program.get("/tasks")
    _demand_token(name, answer)
    both = [str(status.id), str(older_status.id)]
    if name == "anonymous":
        assert answer.status_code == 401
    else:
        assert [each["id"] for each in answer.json["items"]] == (both if name == "owner" else [])
    # The filter that lets a superuser see all is asked for here: by default, a list is one's own.
    everybodys = program.get("/tasks?owner=all")
    assert everybodys.status_code == {"owner": 403, "superuser": 200, "other user": 403, "anonymous": 401}[name]
    if name == "superuser":
        assert [each["id"] for each in everybodys.json["items"]] == both


# What is said of a task, and of what it has made


def test_the_serialized_status_says_what_theirs_does(owner, status):
    """name, state, state_text, completed_steps, total_steps, attempts, created, modified, artifacts."""
    said = owner.get(f"/tasks/{status.id}").json
    assert said["title"] == "SampleTask 2"
    assert (said["state"], said["done"]) == ("pending", False)
    assert (said["progress"]["done"], said["progress"]["total"]) == (0, 5)
    assert said["attempt"] == 0, "it has none before the first begins; there it is 1 from the start"
    assert said["created_at"] == time(status.created_at)
    [launched] = owner.get(said["links"]["events"]).json["items"]
    assert launched["type"] == "launched", "when something happened to it, and what, is in its timeline"
    assert owner.get(said["links"]["artifacts"]).json == {"items": [], "next": None}


def test_the_serialized_status_leads_to_its_artifacts(owner, status, artifact):
    said = owner.get(f"/tasks/{status.id}").json
    [each] = owner.get(said["links"]["artifacts"]).json["items"]
    assert each["links"]["self"] == f"/api/v1/artifacts/{artifact.id}"
    assert owner.get(each["links"]["task"]).json == said


@pytest.mark.parametrize(
    ("kind", "data", "url", "text"),
    [
        (Kind.FILE, "Content of the file", None, None),
        (Kind.TEXT, "Got your output right here.", None, "Got your output right here."),
        (Kind.LINK, "http://www.example.com/output/3/", "http://www.example.com/output/3/", None),
    ],
)
def test_the_serialized_artifact_is_a_file_a_text_or_a_url(owner, status, kind, data, url, text):
    artifact = make_artifact(status, "Output", data, kind=kind)
    said = owner.get(f"/artifacts/{artifact.id}").json
    assert (said["kind"], said["name"]) == (kind, "Output")
    assert (said["task"], said["created_at"]) == (str(status.id), time(artifact.created_at))
    assert (said["url"], said["text"]) == (url, text)
    if kind is Kind.FILE:
        assert owner.get(said["links"]["content"]).get_data(as_text=True) == data
