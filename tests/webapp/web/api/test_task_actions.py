"""What programs ask of one task: each owner action in each state, as the table of actions has it."""

from datetime import timedelta

import pytest

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.sealed import sealed
from tests.webapp.web.api.client import Program, pointers
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.models import Artifact, Composition, State, Task
from webapp.models.scopes import Scope
from webapp.web.presenters.action_words import ACTION_WORDS

LEASE = timedelta(seconds=15)
# What is answered once the action has been asked for already, and where nothing is left to be done.
AGAIN = {
    "retry": {},
    "pause": {State.PAUSING: 202, State.PAUSED: 200},
    "resume": {State.PENDING: 200, State.IN_PROGRESS: 200},
    "cancel": {State.CANCELING: 202, State.CANCELED: 200},
    "dismiss": {},
    "remove": {},
}
NOUNS = {name: words.noun for name, words in ACTION_WORDS.items()}
TWICE = {"retry": 409, "pause": 200, "resume": 200, "cancel": 200, "dismiss": 200, "remove": 404}


def ask(program: Program, action: str, task: Task, **more):
    """By the operation of that action."""
    if action == "remove":
        return program.delete(f"/tasks/{task.id}", **more)
    return program.post(f"/tasks/{task.id}/{NOUNS[action]}", **more)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", OWNER_ACTIONS)
def test_the_api_does_what_the_table_of_actions_says(anns, action, state):
    task = make_task(state, anns.user)
    row, moves = OWNER_ACTIONS[action], task.moves
    can = task.can(action)
    answer = ask(anns, action, task)
    if can:
        becomes = row.moves[state]
        expected = 204 if action == "remove" else 202 if becomes in (State.PAUSING, State.CANCELING) else 200
        assert answer.status_code == expected, answer.json
        if action == "remove":
            assert Task.get_or_none(Task.id == task.id) is None
            assert answer.data == b""
        else:
            assert answer.json["state"] == task.reload().state == becomes
            assert task.moves == moves + 1
    elif state in AGAIN[action]:
        assert answer.status_code == AGAIN[action][state], answer.json
        assert (answer.json["state"], task.reload().moves) == (state, moves)
    else:
        assert (answer.status_code, answer.json["type"]) == (409, "/developers/problems/illegal-transition")
        assert answer.json["state"] == state
        assert answer.json["allowed"] == [NOUNS[name] for name in OWNER_ACTIONS if task.can(name)]
        assert (task.reload().state, task.moves) == (state, moves)


def test_an_answer_is_the_task_as_get_gives_it(anns):
    for state in (State.PENDING, State.IN_PROGRESS):
        task = make_task(state, anns.user)
        answer = ask(anns, "cancel", task)
        read = anns.get(f"/tasks/{task.id}")
        assert answer.json == read.json
        for header in ("ETag", "Retry-After", "Cache-Control"):
            assert answer.headers.get(header) == read.headers.get(header), header
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("action", OWNER_ACTIONS)
def test_what_is_asked_for_twice_happens_once(anns, action):
    task = make_task(next(iter(OWNER_ACTIONS[action].moves)), anns.user)
    first = ask(anns, action, task)
    moves = (Task.get_or_none(Task.id == task.id) or task).moves
    assert (first.status_code, ask(anns, action, task).status_code) == (
        204 if action == "remove" else 200,
        TWICE[action],
    )
    assert (Task.get_or_none(Task.id == task.id) or task).moves == moves


def test_a_second_retry_is_another_one(anns):
    """So a program that has lost the answer to the first says which version it means."""
    task = make_task(State.FAILED, anns.user)
    failed = {"If-Match": anns.get(f"/tasks/{task.id}").headers["ETag"]}
    assert ask(anns, "retry", task, headers=failed).status_code == 200
    Task.claim(LEASE).fail("It broke again.")
    assert task.reload().state == State.FAILED
    assert ask(anns, "retry", task, headers=failed).status_code == 412
    assert task.reload().state == State.FAILED
    assert ask(anns, "retry", task).status_code == 200


def test_a_retry_with_a_key_is_made_once(each_database, program_of):
    program = program_of(make_user("ann"))
    task = make_task(State.FAILED, program.user)
    key = {"Idempotency-Key": "one"}
    first = ask(program, "retry", task, headers=key)
    Task.claim(LEASE).fail("It broke again.")
    again = ask(program, "retry", task, headers=key)
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replayed"]) == (200, 200, "true")
    assert (again.json, task.reload().state) == (first.json, State.FAILED)


def test_a_retry_that_cannot_be_says_why(anns):
    busy = make_task(State.IN_PROGRESS, anns.user, unique_key="one", active_unique_key="one")
    other = make_task(State.FAILED, anns.user, unique_key="one")
    answer = ask(anns, "retry", other)
    assert (answer.status_code, answer.json["type"]) == (409, "/developers/problems/already-running")
    assert answer.json["task"] == str(busy.id)
    lost = make_task(State.FAILED, anns.user, arguments={"password": sealed(None)})
    answer = ask(anns, "retry", lost)
    assert (answer.status_code, answer.json["type"]) == (409, "/developers/problems/secrets-gone")
    assert (answer.json["state"], answer.json["allowed"]) == ("failed", ["dismissal", "deletion"])


def test_a_request_may_be_for_one_attempt_only(anns):
    task = make_task(State.IN_PROGRESS, anns.user, attempts=2)
    for attempt in (0, 1, 3):
        answer = ask(anns, "cancel", task, json={"attempt": attempt})
        assert (answer.status_code, answer.json["type"]) == (409, "/developers/problems/stale-attempt")
        assert (answer.json["state"], answer.json["attempt"]) == ("in_progress", 2)
    assert task.reload().state == State.IN_PROGRESS
    assert ask(anns, "cancel", task, json={"attempt": 2}).status_code == 202


@pytest.mark.parametrize(
    "body", [{"attempt": "2"}, {"attempt": -1}, {"attempt": 2**40}, {"attempt": None}, {"x": 1}, []]
)
def test_a_body_that_says_something_else_does_nothing(anns, body):
    task = make_task(State.IN_PROGRESS, anns.user)
    answer = ask(anns, "cancel", task, json=body)
    assert (answer.status_code, len(pointers(answer))) == (422, 1)
    assert task.reload().state == State.IN_PROGRESS


def test_a_body_that_is_no_json_does_nothing(anns):
    task = make_task(State.IN_PROGRESS, anns.user)
    address = f"/tasks/{task.id}/cancellation"
    assert anns.ask("POST", address, data="{", content_type="application/json").status_code == 400
    assert anns.ask("POST", address, data="attempt=1", content_type="text/plain").status_code == 415
    assert anns.ask("POST", address, data={"attempt": "1"}).status_code == 415
    assert task.reload().state == State.IN_PROGRESS
    assert anns.ask("POST", address, data="", content_type="text/plain").status_code == 202, "nothing is no body"


@pytest.mark.parametrize("action", OWNER_ACTIONS)
def test_a_request_may_be_for_one_version_only(anns, action):
    task = make_task(next(iter(OWNER_ACTIONS[action].moves)), anns.user)
    etag = anns.get(f"/tasks/{task.id}").headers["ETag"]
    for stale in ('"0"', f"W/{etag}", '"0", "1"'):
        answer = ask(anns, action, task, headers={"If-Match": stale})
        assert (answer.status_code, answer.headers["ETag"]) == (412, etag)
    for fresh in (etag, f'"0", {etag}'):
        again = make_task(task.state, anns.user)
        own = fresh.replace(etag, anns.get(f"/tasks/{again.id}").headers["ETag"])
        assert ask(anns, action, again, headers={"If-Match": own}).status_code in (200, 202, 204)
    assert ask(anns, action, task, headers={"If-Match": "*"}).status_code in (200, 202, 204)


def test_a_child_is_deleted_and_retried_with_its_workflow(anns):
    parent = make_task(State.FAILED, anns.user, name="", composition=Composition.CHAIN)
    child = make_task(State.FAILED, anns.user, parent=parent, root=parent)
    for action in ("remove", "retry"):
        answer = ask(anns, action, child)
        assert (answer.status_code, answer.json["allowed"]) == (409, ["dismissal"])


def test_a_workflow_whose_children_wait_is_canceled_at_once(anns):
    parent = make_task(State.IN_PROGRESS, anns.user, name="", composition=Composition.GROUP, fencing_token=None)
    for _ in range(2):
        make_task(State.PENDING, anns.user, parent=parent, root=parent)
    answer = ask(anns, "cancel", parent)
    assert (answer.status_code, answer.json["state"]) == (200, "canceled")
    pause = ask(anns, "pause", make_task(State.PENDING, anns.user, name="", composition=Composition.GROUP))
    assert (pause.status_code, pause.json["state"]) == (409, "pending")


def test_what_a_deleted_task_made_is_gone(anns):
    artifact = make_artifact(make_task(State.SUCCEEDED, anns.user))
    assert anns.delete(f"/tasks/{artifact.task_id}").status_code == 204
    assert Artifact.get_or_none(Artifact.id == artifact.id) is None


def test_somebody_elses_task_and_an_internal_one_do_not_exist(anns):
    for task in (make_task(State.FAILED), make_task(State.FAILED, anns.user, hidden=True)):
        for action in OWNER_ACTIONS:
            assert ask(anns, action, task).status_code == 404
        assert anns.patch(f"/tasks/{task.id}", {"title": "Mine"}).status_code == 404
        assert task.reload().state == State.FAILED


@pytest.mark.parametrize("action", OWNER_ACTIONS)
def test_each_needs_its_scope(program_of, action):
    program = program_of(make_user(), *set(Scope) - {Scope.TASKS_WRITE, Scope.DESK_WRITE})
    task = make_task(next(iter(OWNER_ACTIONS[action].moves)), program.user)
    answer = ask(program, action, task)
    assert (answer.status_code, answer.json["scope"]) == (403, "tasks:write")
    # The desk is of no use to who has no role, though the token names it.
    desk = program_of(program.user, Scope.DESK_WRITE)
    assert ask(desk, action, task).status_code == 403
    assert task.reload().moves == 0


@pytest.mark.parametrize(("action", "most"), [("cancel", 12), ("dismiss", 10), ("remove", 13), ("retry", 15)])
def test_what_an_action_asks_of_the_database_does_not_grow(anns, queries, action, most):
    for tasks in (1, 30):
        for _ in range(tasks):
            make_artifact(make_task(State.CANCELED, anns.user))
        task = make_task(next(iter(OWNER_ACTIONS[action].moves)), anns.user)
        anns.get("/user")  # the use of the token is recorded once in a while
        with queries() as seen:
            ask(anns, action, task)
        assert seen.count <= most, [query for query, _ in seen._handler.queries]
