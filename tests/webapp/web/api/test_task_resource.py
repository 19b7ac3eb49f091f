"""The task as programs see it."""

from datetime import timedelta
from uuid import uuid4

import jsonschema_rs
import pytest

from tasks.catalogue import CATALOGUE
from tasks.count_words import COUNTING
from tasks.engine.models import phrases
from tasks.engine.models.composition import Composition
from tasks.engine.models.sealed import sealed
from tasks.engine.models.words import kept
from tasks.send_mail import SENDING
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.models.permissions import Role
from webapp.models.scopes import Scope
from webapp.web.api.resources.task import TASK

MEMBERS = {
    *("id", "kind", "composition", "title", "state", "done", "progress", "position", "held", "arguments", "attempt"),
    "result",
    *("error", "parent", "owner", "created_at", "started_at", "finished_at", "run_at", "actions", "links"),
}


def read(program, task):
    answer = program.get(f"/tasks/{task.id}")
    assert answer.status_code == 200, answer.json
    return answer.json


@pytest.fixture
def staff(program_of):
    """`staff(role, scopes)`: a program of somebody who has that role."""

    def staff(role, *scopes):
        user = make_user(role=role, totp_secret="sealed")
        return program_of(user, *(scopes or (Scope.TASKS_READ, Scope.DESK_READ)))

    return staff


@pytest.mark.parametrize("state", State)
def test_a_task_in_any_state_is_as_its_schema_says(anns, state):
    found = read(anns, make_task(state, anns.user))
    assert found.keys() >= MEMBERS
    jsonschema_rs.Draft202012Validator(TASK.schema, validate_formats=True).validate(found)
    assert (found["state"], found["done"]) == (state, found["finished_at"] is not None)
    assert found["result"] is None or found["error"] is None
    assert found["owner"] == {"id": anns.user.id, "username": "ann"}


def test_times_are_of_rfc_3339(anns):
    found = read(anns, make_task(State.SUCCEEDED, anns.user))
    for name in ("created_at", "started_at", "finished_at"):
        assert found[name].endswith("Z")


def test_progress_is_what_pages_show(anns):
    now = utcnow()
    started = {"started_at": now - timedelta(seconds=40), "updated_at": now}
    task = make_task(State.IN_PROGRESS, anns.user, **started, done=20, total=40, stage="Counting")
    found = read(anns, task)["progress"]
    eta = (now + timedelta(seconds=40)).isoformat(timespec="seconds") + "Z"
    assert found == {"done": 20, "total": 40, "stage": "Counting", "eta": eta}
    unknown = make_task(State.IN_PROGRESS, anns.user, done=20, total=None, stage="")
    assert read(anns, unknown)["progress"] == {"done": 20, "total": None, "stage": "", "eta": None}


def test_a_workflow_is_told_by_its_kind(anns):
    task = make_task(State.IN_PROGRESS, anns.user, name="", composition=Composition.CHAIN, share=0.25)
    found = read(anns, task)
    assert (found["kind"], found["composition"]) == ("workflow", "chain")
    assert (found["progress"]["done"], found["progress"]["total"]) == (250, 1000)
    assert found["links"]["children"] == f"/api/v1/tasks/{task.id}/children"
    child = make_task(State.WAITING, anns.user, parent=task, root=task)
    assert read(anns, child)["parent"] == str(task.id)


def test_no_kind_of_task_can_be_taken_for_a_workflow():
    assert "workflow" not in CATALOGUE


def test_a_kind_that_is_no_longer_there_still_has_tasks(anns):
    task = make_task(State.FAILED, anns.user, name="of_yesterday", arguments={"a": [1]})
    assert read(anns, task)["kind"] == "of_yesterday"


def test_secrets_are_masked_and_gone_at_the_end(anns):
    file = {"id": str(uuid4()), "name": "posts.csv", "size": 3}
    given = {"key": sealed("ciphertext"), "old": sealed(None), "file": file, "number": 7}
    answer = anns.get(f"/tasks/{make_task(user=anns.user, arguments=given).id}")
    assert "ciphertext" not in answer.text
    assert answer.json["arguments"] == {"key": "••••••", "old": None, "file": file, "number": 7}


def test_a_result_comes_without_an_error(anns):
    task = make_task(State.SUCCEEDED, anns.user, result={"words": 12}, error="The first time.")
    found = read(anns, task)
    assert (found["result"], found["error"]) == ({"words": 12}, None)


def test_an_error_has_a_code_for_programs(anns):
    task = make_task(State.IN_PROGRESS, anns.user, fencing_token="x")
    task.fail(phrases.UNEXPECTED())
    assert read(anns, task)["error"] == {"code": "task.unexpected", "words": str(phrases.UNEXPECTED())}
    told = make_task(State.FAILED, anns.user)
    assert read(anns, told)["error"] == {"code": "task_error", "words": told.error}


def test_actions_are_the_nouns_that_work_now(anns):
    def actions(state):
        return set(read(anns, make_task(state, anns.user))["actions"])

    assert actions(State.PENDING) == {"pause", "cancellation"}
    assert actions(State.PAUSED) == {"resumption", "cancellation"}
    assert actions(State.FAILED) == {"retry", "dismissal", "deletion"}
    assert actions(State.CANCELING) == set()


def test_a_waiting_task_has_its_place(anns):
    first, second = (make_task(user=anns.user, queue_key=n) for n in range(2))
    assert [read(anns, task)["position"] for task in (first, second)] == [1, 2]
    assert read(anns, make_task(State.IN_PROGRESS, anns.user))["position"] is None


def test_somebody_elses_task_is_not_there(anns, program_of, caplog):
    task = make_task(user=make_user("bob"))
    with caplog.at_level("INFO", "errand.security"):
        assert anns.get(f"/tasks/{task.id}").status_code == 404
    assert [record.fields["event"] for record in caplog.records] == ["not the owner"]
    caplog.clear()
    assert anns.get(f"/tasks/{uuid4()}").status_code == 404
    assert not caplog.records


def test_an_internal_task_is_not_there(anns, staff):
    task = make_task(user=anns.user, hidden=True)
    assert anns.get(f"/tasks/{task.id}").status_code == 404
    assert staff(Role.ADMIN).get(f"/tasks/{task.id}").status_code == 404


def test_staff_see_other_peoples_tasks_by_role_and_scope(anns, staff, program_of):
    task = make_task(user=anns.user)
    assert staff(Role.VIEWER).get(f"/tasks/{task.id}").status_code == 200
    assert staff(Role.VIEWER, Scope.TASKS_READ).get(f"/tasks/{task.id}").status_code == 404
    assert staff(None).get(f"/tasks/{task.id}").status_code == 404
    without_second_factor = program_of(make_user(role=Role.ADMIN))
    assert without_second_factor.get(f"/tasks/{task.id}").status_code == 404


def test_a_viewer_reads_no_stage_that_may_tell_more_than_any_task_does(anns, staff):
    stages = (SENDING(address="x@example.com"), "Reading diary.txt")
    said = [make_task(State.IN_PROGRESS, anns.user, **kept(stage=stage)) for stage in stages]
    plain = make_task(State.IN_PROGRESS, anns.user, **kept(stage=COUNTING()))
    read_by = {role: [read(staff(role), task)["progress"]["stage"] for task in (*said, plain)] for role in Role}
    assert read_by[Role.VIEWER] == ["", "", str(COUNTING())]
    assert read_by[Role.OPERATOR] == ["Sending to x@example.com", "Reading diary.txt", str(COUNTING())]


def test_others_read_nothing_that_is_the_owners_alone(anns, staff):
    task = make_task(State.FAILED, anns.user, arguments={"to": "x@example.com"}, error="x@example.com refused")
    for role, words, actions in ((Role.VIEWER, None, []), (Role.OPERATOR, task.error, ["retry", "deletion"])):
        found = read(staff(role), task)
        assert found["arguments"] is found["result"] is None
        assert found["links"]["artifacts"] is found["links"]["html"] is None
        assert found["error"] == {"code": "task_error", "words": words}
        assert found["actions"] == actions
        assert found["owner"] == {"id": anns.user.id, "username": "ann"}
    done = make_task(State.SUCCEEDED, anns.user, result="private")
    assert read(staff(Role.ADMIN), done)["result"] is None


def test_the_etag_changes_with_all_that_is_shown(anns):
    task = make_task(State.PENDING, anns.user, queue_key=5)

    def etag():
        return anns.get(f"/tasks/{task.id}").headers["ETag"]

    seen = [etag()]
    assert etag() == seen[0]
    assert not seen[0].startswith("W/")
    make_task(user=anns.user, queue_key=1)
    seen.append(etag())
    Task.update(updated_at=utcnow(), done=1).where(Task.id == task.id).execute()
    seen.append(etag())
    task.cancel()
    seen.append(etag())
    task.fresh().dismiss()
    seen.append(etag())
    assert len({*seen}) == len(seen)


def test_an_unchanged_task_is_a_304(anns):
    task = make_task(user=anns.user)
    answer = anns.get(f"/tasks/{task.id}")
    again = anns.get(f"/tasks/{task.id}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = anns.ask("HEAD", f"/tasks/{task.id}")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]


def test_it_says_when_to_ask_again_until_it_is_done(anns):
    assert anns.get(f"/tasks/{make_task(user=anns.user).id}").headers["Retry-After"] == "2"
    assert "Retry-After" not in anns.get(f"/tasks/{make_task(State.FAILED, anns.user).id}").headers


def test_a_task_costs_two_queries_and_one_more_while_it_waits(anns, staff, queries):
    done, waiting = make_task(State.SUCCEEDED, anns.user), make_task(user=anns.user)
    anns.get(f"/tasks/{done.id}")
    with queries(2):  # the token, the task
        anns.get(f"/tasks/{done.id}")
    with queries(3):  # and its place in the queue
        anns.get(f"/tasks/{waiting.id}")
    viewer = staff(Role.VIEWER)
    viewer.get(f"/tasks/{done.id}")
    with queries(4):  # whether it is theirs, and its owner
        viewer.get(f"/tasks/{done.id}")
