"""Programs that act on one task at the same moment, while a worker has it: one of them is first, and none breaks."""

from collections import Counter
from datetime import timedelta
from itertools import count

import pytest

from tests.racing import race
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import exact_iso, utcnow
from webapp.models import IllegalTransition, State, Task, TaskEvent
from webapp.models.permissions import Role
from webapp.models.scopes import Scope
from webapp.web.presenters.action_words import ACTION_WORDS

ROUNDS = 6
LEASE = timedelta(seconds=15)


@pytest.fixture
def app(each_database):
    """On both databases."""
    return each_database


@pytest.fixture
def programs(program_of):
    """Three programs of one person's."""
    user = make_user("ann")
    return [program_of(user) for _ in range(3)]


def _at_once(*acts) -> list:
    """What came of acts that begin together, one in a thread: a worker may come too late, and nothing else fails."""
    numbers = count()
    results = race(len(acts), lambda: acts[next(numbers)]())
    for result in results:
        assert not isinstance(result, Exception) or isinstance(result, IllegalTransition), result
    return [result.status_code for result in results if hasattr(result, "status_code")]


def _post(program, task, action, **more):
    return lambda: program.post(f"/tasks/{task.id}/{ACTION_WORDS[action].noun}", **more)


def _told(task: Task, kind: str) -> int:
    return sum(event.kind == kind for event in TaskEvent.of(task.id))


@pytest.mark.parametrize("state", [State.PENDING, State.IN_PROGRESS, State.SCHEDULED, State.PAUSED])
def test_two_programs_cancel_at_once(programs, state):
    for _ in range(ROUNDS):
        task = make_task(state, programs[0].user)
        statuses = _at_once(*(_post(program, task, "cancel") for program in programs))
        is_running = state == State.IN_PROGRESS
        assert statuses == [202 if is_running else 200] * 3
        assert task.reload().moves == 1
        if not is_running:
            assert _told(task, "canceled") == 1


@pytest.mark.parametrize("action", ["cancel", "pause"])
@pytest.mark.parametrize("end", ["succeed", "acknowledge"])
def test_a_worker_is_done_at_that_moment(programs, action, end):
    for _ in range(ROUNDS):
        make_task(State.PENDING, programs[0].user, name="countdown")
        run = Task.claim(LEASE)
        if end == "acknowledge":
            Task.get_by_id(run.id).pause()
        finish = run.succeed if end == "succeed" else run.acknowledge_stop
        statuses = _at_once(finish, *(_post(program, run, action) for program in programs[:2]))
        assert len(statuses) == 2
        assert set(statuses) <= {200, 202, 409}
        now = Task.get_by_id(run.id)
        if end == "succeed":
            assert now.state in (State.SUCCEEDED, State.CANCELING, State.PAUSING)
        else:
            assert now.state in ((State.CANCELED, State.CANCELING) if action == "cancel" else (State.PAUSED,))
        Task.delete().execute()


def test_one_cancels_one_pauses_and_one_deletes(programs):
    seen: Counter[int] = Counter()
    for _ in range(ROUNDS):
        task = make_task(State.PENDING, programs[0].user)
        acts = [
            _post(program, task, action)
            for program, action in zip(programs, ("cancel", "pause", "cancel"), strict=True)
        ]
        statuses = _at_once(*acts, lambda task=task: programs[2].delete(f"/tasks/{task.id}"))
        assert set(statuses) <= {200, 204, 404, 409}
        now = Task.get_or_none(Task.id == task.id)
        assert (now is None) == (204 in statuses)
        assert now is None or now.state == State.CANCELED
        seen.update(statuses)
    assert seen[200] >= ROUNDS


def test_of_those_that_ask_for_the_same_version_one_gets_it(programs):
    for _ in range(ROUNDS):
        task = make_task(State.FAILED, programs[0].user)
        etag = programs[0].get(f"/tasks/{task.id}").headers["ETag"]
        acts = [_post(program, task, "retry", headers={"If-Match": etag}) for program in programs]
        assert sorted(_at_once(*acts)) == [200, 412, 412]
        assert _told(task, "pending") == 1


def test_of_those_that_change_the_same_version_one_does(programs):
    for _ in range(ROUNDS):
        task = make_task(State.SCHEDULED, programs[0].user)
        etag = programs[0].get(f"/tasks/{task.id}").headers["ETag"]
        acts = [
            lambda program=program, number=number, task=task, etag=etag: program.patch(
                f"/tasks/{task.id}", {"title": f"Number {number}"}, headers={"If-Match": etag}
            )
            for number, program in enumerate(programs)
        ]
        assert sorted(_at_once(*acts)) == [200, 412, 412]
        assert task.reload().moves == 1


def test_a_task_starts_while_its_time_is_changed(programs):
    for _ in range(ROUNDS):
        task = make_task(State.SCHEDULED, programs[0].user, run_at=utcnow() - timedelta(seconds=1))
        later = {"run_at": exact_iso(utcnow() + timedelta(days=1))}
        [status] = _at_once(
            lambda task=task, later=later: programs[0].patch(f"/tasks/{task.id}", later),
            Task.get_by_id(task.id).enqueue,
        )
        assert status == (200 if task.reload().state == State.SCHEDULED else 409)


def test_an_attempt_that_is_asked_for_is_not_missed(programs):
    """Whoever asks for attempt 1 never stops attempt 2."""
    for _ in range(ROUNDS):
        task = make_task(State.IN_PROGRESS, programs[0].user, attempts=1)
        more = {"json": {"attempt": 1}}
        statuses = _at_once(
            _post(programs[0], task, "cancel", **more),
            lambda task=task: Task.update(attempts=2).where(Task.id == task.id, Task.moves == 0).execute(),
        )
        now = task.reload()
        assert (now.attempts, statuses) in ((1, [202]), (2, [409]), (2, [202]))
        assert (statuses == [409]) == (now.state == State.IN_PROGRESS)


def test_owner_and_operator_retry_at_once(programs, program_of):
    operator = program_of(make_user(role=Role.OPERATOR, totp_secret="sealed"), Scope.DESK_WRITE)
    for _ in range(ROUNDS):
        task = make_task(State.FAILED, programs[0].user)
        statuses = _at_once(_post(programs[0], task, "retry"), _post(operator, task, "retry"))
        assert sorted(statuses) == [200, 409]
        assert _told(task, "pending") == 1


def test_children_of_one_workflow_are_acted_on_at_once_and_in_bulk(programs):
    for _ in range(ROUNDS):
        parent = make_task(State.IN_PROGRESS, programs[0].user, name="", composition="group", fencing_token=None)
        children = [make_task(State.PENDING, parent.user, parent=parent, root=parent) for _ in range(3)]
        body = {"action": "cancellation", "tasks": [str(child.id) for child in children]}
        statuses = _at_once(
            lambda body=body: programs[0].post("/tasks/bulk", body),
            _post(programs[1], parent, "cancel"),
            _post(programs[2], children[1], "cancel", json={"attempt": 0}),
        )
        assert set(statuses) <= {200, 202}
        assert Task.get_by_id(parent.id).state == State.CANCELED
        assert {child.reload().state for child in children} == {State.CANCELED}
