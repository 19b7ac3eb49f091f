"""Another time, or another title, of a task that is scheduled."""

from datetime import timedelta

import pytest

from tests.webapp.web.api.client import pointers
from webapp.dev.factories import make_mailing, make_task
from webapp.lib.times import exact_iso, utcnow
from webapp.models import Composition, Mailing, State, Task, TaskEvent
from webapp.models.scopes import Scope
from webapp.web.api.resource import time

NOW = utcnow().replace(microsecond=0)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def task(anns) -> Task:
    """What Ann has scheduled."""
    return make_task(State.SCHEDULED, anns.user)


def test_a_task_gets_another_time_and_its_title_stays(anns, task):
    answer = anns.patch(f"/tasks/{task.id}", {"run_at": exact_iso(LATER)})
    assert (answer.status_code, answer.json["run_at"]) == (200, time(LATER))
    assert (task.reload().run_at, task.title, task.state) == (LATER, "Count down from 40", State.SCHEDULED)
    assert TaskEvent.of(task.id)[-1].words() == "Changed by you"
    read = anns.get(f"/tasks/{task.id}")
    assert (answer.json, answer.headers["ETag"]) == (read.json, read.headers["ETag"])


def test_a_task_gets_another_title_and_its_time_stays(anns, task):
    run_at = task.run_at
    answer = anns.patch(f"/tasks/{task.id}", {"title": "  Tea\n is  ready "})
    assert (answer.status_code, answer.json["title"]) == (200, "Tea is ready")
    assert (task.reload().run_at, task.title_words()) == (run_at, "Tea is ready")


def test_both_are_changed_at_once(anns, task):
    answer = anns.patch(f"/tasks/{task.id}", {"run_at": exact_iso(LATER), "title": "x" * 200})
    assert (answer.status_code, answer.json["title"]) == (200, "x" * 200)
    assert (task.reload().run_at, task.moves) == (LATER, 1)


def test_any_offset_is_taken(anns, task):
    local = (LATER + timedelta(hours=9)).isoformat() + "+09:00"
    assert anns.patch(f"/tasks/{task.id}", {"run_at": local}).json["run_at"] == time(LATER)


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({}, "", "Give at least one member."),
        ({"title": ""}, "/title", "can’t be blank"),
        ({"title": " \n"}, "/title", "can’t be blank"),
        ({"title": "\u200b\u2800"}, "/title", "can’t be blank"),
        ({"title": "x" * 201}, "/title", "At most 200 characters."),
        ({"title": None}, "/title", "must be a text"),
        ({"run_at": None}, "/run_at", "must be a text"),
        ({"run_at": "tomorrow"}, "/run_at", "must be a time with its offset"),
        ({"run_at": "2026-12-01T09:00:00"}, "/run_at", "must be a time with its offset"),
        ({"run_at": "2016-12-31T23:59:60Z"}, "/run_at", "a time with its offset"),
        ({"run_at": exact_iso(NOW - timedelta(seconds=2))}, "/run_at", "in the future"),
        ({"run_at": "0001-01-01T00:00:00+14:00"}, "/run_at", ""),
        ({"run_at": exact_iso(NOW + timedelta(days=367))}, "/run_at", "within the next year"),
        ({"run_at": "9999-12-31T23:59:59-12:00"}, "/run_at", ""),
        ({"arguments": {"seconds": 1}}, "/arguments", "no such member"),
        ({"state": "pending"}, "/state", "no such member"),
    ],
)
def test_what_no_form_takes_changes_nothing(anns, task, changes, where, words):
    answer = anns.patch(f"/tasks/{task.id}", changes)
    assert answer.status_code == 422, answer.json
    assert words in pointers(answer)[where]
    assert task.reload().moves == 0


@pytest.mark.parametrize("state", sorted(set(State) - {State.SCHEDULED}))
def test_once_it_has_started_it_stays_as_it_is(anns, state):
    task = make_task(state, anns.user)
    answer = anns.patch(f"/tasks/{task.id}", {"run_at": exact_iso(LATER), "title": "Mine"})
    assert (answer.status_code, answer.json["state"]) == (409, state)
    assert answer.json["allowed"] == anns.get(f"/tasks/{task.id}").json["actions"]
    assert (task.reload().moves, task.title) == (0, "Count down from 40")


def test_a_change_may_be_of_one_version_only(anns, task):
    etag = anns.get(f"/tasks/{task.id}").headers["ETag"]
    first = anns.patch(f"/tasks/{task.id}", {"title": "One"}, headers={"If-Match": etag})
    late = anns.patch(f"/tasks/{task.id}", {"title": "Two"}, headers={"If-Match": etag})
    assert (first.status_code, late.status_code, late.headers["ETag"]) == (200, 412, first.headers["ETag"])
    assert task.reload().title == "One"
    assert anns.patch(f"/tasks/{task.id}", {"title": "Two"}, headers={"If-Match": "*"}).status_code == 200


def test_a_workflow_is_rescheduled_as_any_task(anns):
    task = make_task(State.SCHEDULED, anns.user, name="", composition=Composition.GROUP)
    assert anns.patch(f"/tasks/{task.id}", {"run_at": exact_iso(LATER)}).status_code == 200


def test_a_mail_is_sent_at_the_time_that_its_task_gets_and_its_form_says_so(each_database, program_of):
    mailing = make_mailing()
    anns = program_of(mailing.user)
    assert anns.patch(f"/tasks/{mailing.task_id}", {"title": "Invitation"}).status_code == 200
    assert Mailing.get_by_id(mailing.id).send_at == mailing.send_at
    assert anns.patch(f"/tasks/{mailing.task_id}", {"run_at": exact_iso(LATER)}).status_code == 200
    assert Mailing.get_by_id(mailing.id).send_at == Task.get_by_id(mailing.task_id).run_at == LATER


def test_it_needs_the_scope_and_json(program_of, anns, task):
    reader = program_of(anns.user, Scope.TASKS_READ)
    assert reader.patch(f"/tasks/{task.id}", {"title": "Mine"}).status_code == 403
    assert anns.ask("PATCH", f"/tasks/{task.id}", data="title=Mine").status_code == 415
    assert anns.ask("PATCH", f"/tasks/{task.id}").status_code == 415
    merge = {"data": '{"title": "Mine"}', "content_type": "application/merge-patch+json"}
    assert anns.ask("PATCH", f"/tasks/{task.id}", **merge).status_code == 200


def test_a_change_costs_the_same_however_much_there_is(anns, task, queries):
    anns.get("/user")
    with queries() as seen:
        assert anns.patch(f"/tasks/{task.id}", {"title": "Mine"}).status_code == 200
    assert seen.count <= 8
