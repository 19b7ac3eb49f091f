"""One action for many tasks at once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine.models import bulk
from tasks.engine.models.action_table import OWNER_ACTIONS
from tests.webapp.web.api.client import pointers
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import Composition, State, Task
from webapp.models.permissions import Role
from webapp.models.scopes import Scope
from webapp.web.api.resource import time
from webapp.web.presenters.action_words import ACTION_WORDS


def press(program, action: str, **which):
    """By the verb of an action."""
    return program.post("/tasks/bulk", {"action": ACTION_WORDS[action].noun, **which})


def done(program, action: str, **which) -> dict:
    answer = press(program, action, **which)
    assert answer.status_code == 200, answer.json
    return answer.json


@pytest.mark.parametrize("action", OWNER_ACTIONS)
def test_each_action_does_what_it_does_alone_and_counts_the_rest_by_state(each_database, program_of, action):
    anns, row = program_of(make_user("ann")), OWNER_ACTIONS[action]
    tasks = {state: make_task(state, anns.user) for state in State}
    make_task(State.PENDING)
    able = [state for state in State if row.allows(tasks[state], in_bulk=True)]
    stopping = [state for state in able if row.moves[state] in (State.PAUSING, State.CANCELING)]
    found = done(anns, action, filter={})
    assert found == {
        "done": len(able),
        "stopping": len(stopping),
        "left": 0,
        "duplicates": 0,
        "passed": {state: 1 for state in sorted(set(State) - set(able))},
        "missing": 0,
        "refused": None,
    }
    for state in able:
        now = Task.get_or_none(Task.id == tasks[state].id)
        assert now is None if action == "remove" else now.state == row.moves[state]


def test_only_what_is_named_is_touched_and_what_is_not_there_is_counted(anns):
    named, other, foreign = (make_task(State.PENDING, user) for user in (anns.user, anns.user, None))
    hidden = make_task(State.PENDING, anns.user, hidden=True)
    ids = [str(named.id), str(named.id).upper(), str(foreign.id), str(hidden.id), str(uuid4())]
    found = done(anns, "cancel", tasks=ids)
    assert (found["done"], found["missing"], found["passed"]) == (1, 3, {})
    assert [task.reload().state for task in (named, other, foreign, hidden)] == ["canceled", *["pending"] * 3]


def test_children_may_be_named_though_lists_have_them_with_their_workflow(anns):
    parent = make_task(State.IN_PROGRESS, anns.user, name="", composition=Composition.GROUP, fencing_token=None)
    child, _ = (make_task(State.PENDING, anns.user, parent=parent, root=parent) for _ in range(2))
    assert done(anns, "pause", tasks=[str(child.id)])["done"] == 1
    assert done(anns, "pause", filter={})["passed"] == {"in_progress": 1}


def test_a_filter_is_that_of_the_list(anns):
    now = utcnow()
    for number, (state, name) in enumerate([("failed", "countdown"), ("canceled", "export_posts")] * 3):
        at = now - timedelta(days=number)
        make_task(State(state), anns.user, name=name, title=f"Number {number} 50%", created_at=at)
    day = time(now - timedelta(days=2))
    for asked in (
        {"state": "failed"},
        {"state": "failed,canceled", "kind": "export_posts"},
        {"q": "NUMBER 4"},
        {"q": "50%", "created_after": day},
        {"created_before": day},
        {"state": "finished", "created_before": day, "q": "refused"},
        {"kind": "workflow"},
    ):
        listed = {each["id"] for each in anns.get("/tasks", query_string=asked).json["items"]}
        before = {task.id: task.dismissed_at for task in Task.select()}
        found = done(anns, "dismiss", filter=asked)
        closed = {str(task.id) for task in Task.select() if task.dismissed_at and not before[task.id]}
        assert (found["done"], closed) == (len(listed), listed), asked
        Task.update(dismissed_at=None).execute()


def test_what_is_not_reached_is_left_for_the_next_request(anns, monkeypatch):
    for number in range(5):
        make_task(State.PENDING, anns.user, queue_key=number)
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(bulk.press, "__defaults__", (2, bulk.LONGEST))
    counts = [(found["done"], found["left"]) for found in (done(anns, "cancel", filter={}) for _ in range(3))]
    assert counts == [(2, 3), (2, 1), (1, 0)]
    monkeypatch.setattr(bulk.press, "__defaults__", (1000, -1.0))
    make_task(State.PENDING, anns.user)
    late = done(anns, "cancel", filter={})
    assert (late["done"], late["left"]) == (0, 1), "no time is left"


def test_one_long_request_at_a_time_goes_on_and_others_end_early(app, anns, monkeypatch):
    for number in range(3):
        make_task(State.PENDING, anns.user, queue_key=number)
    monkeypatch.setattr(bulk, "SHORT", 0.0)
    cancel, others = Task.cancel, []

    def cancel_while_others_ask(task: Task) -> None:
        monkeypatch.setattr(Task, "cancel", cancel)
        others.append(done(anns, "cancel", filter={}))
        cancel(task)

    monkeypatch.setattr(Task, "cancel", cancel_while_others_ask)
    first = done(anns, "cancel", filter={})
    assert (others[0]["done"], others[0]["left"]) == (0, 3), "they leave the threads of the process to all others"
    assert (first["done"], first["left"]) == (3, 0)
    make_task(State.PENDING, anns.user)
    assert done(anns, "cancel", filter={})["done"] == 1, "and there is room for the next"


def test_a_quota_ends_it_and_says_which(anns, allow):
    for _ in range(3):
        make_task(State.FAILED, anns.user)
    allow(Quota.ACTIVE_TASKS, 1)
    found = done(anns, "retry", filter={})
    assert (found["done"], found["left"], found["refused"]["quota"]) == (1, 2, "active_tasks")
    assert "at a time" in found["refused"]["detail"]
    allow(Quota.ACTIVE_TASKS, None)
    allow(Quota.LAUNCHES, 1)
    answer = press(anns, "retry", filter={})
    assert (answer.json["done"], answer.json["refused"]["quota"]) == (1, "launches")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_what_runs_already_in_another_task_is_counted(anns):
    make_task(State.IN_PROGRESS, anns.user, unique_key="one", active_unique_key="one")
    make_task(State.FAILED, anns.user, unique_key="one")
    found = done(anns, "retry", filter={})
    assert (found["done"], found["duplicates"], found["passed"]) == (0, 1, {"in_progress": 1})


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/action"),
        ({"action": "cancel", "filter": {}}, "/action"),
        ({"action": "cancellation"}, ""),
        ({"action": "cancellation", "tasks": [str(uuid4())], "filter": {}}, ""),
        ({"action": "cancellation", "tasks": []}, "/tasks"),
        ({"action": "cancellation", "tasks": ["1"]}, "/tasks/0"),
        ({"action": "cancellation", "tasks": [str(uuid4()) for _ in range(1001)]}, "/tasks"),
        ({"action": "cancellation", "filter": {"state": "gone"}}, "/filter/state"),
        ({"action": "cancellation", "filter": {"q": "x" * 101}}, "/filter/q"),
        ({"action": "cancellation", "filter": {"created_after": "2026-11-30"}}, "/filter/created_after"),
        (
            {"action": "cancellation", "filter": {"created_before": "0001-01-01T00:00:00+14:00"}},
            "/filter/created_before",
        ),
        ({"action": "cancellation", "filter": {"owner": "all"}}, "/filter/owner"),
        ({"action": "cancellation", "filter": {"state": ["failed"]}}, "/filter/state"),
        ({"action": "cancellation", "filter": []}, "/filter"),
        ([], ""),
    ],
)
def test_what_is_asked_wrongly_does_nothing(anns, body, where):
    make_task(State.PENDING, anns.user)
    answer = anns.post("/tasks/bulk", body)
    assert answer.status_code == 422
    assert where in pointers(answer)
    assert Task.get().state == State.PENDING


def test_a_search_for_what_no_database_keeps_finds_nothing(anns):
    make_task(State.PENDING, anns.user)
    for text in ("%", "_", "' OR 1=1 --", "\\"):
        assert done(anns, "cancel", filter={"q": text})["done"] == 0
    assert anns.post("/tasks/bulk", {"action": "cancellation", "filter": {"q": "\0"}}).status_code == 400


def test_it_is_for_ones_own_tasks_whatever_the_role(program_of):
    operator = program_of(make_user(role=Role.ADMIN, totp_secret="sealed"))
    task = make_task(State.PENDING)
    assert done(operator, "cancel", filter={})["done"] == 0
    assert done(operator, "cancel", tasks=[str(task.id)])["missing"] == 1
    for scopes in ({Scope.DESK_WRITE}, {Scope.TASKS_READ}):
        assert press(program_of(operator.user, *scopes), "cancel", filter={}).status_code == 403
    assert task.reload().state == State.PENDING


def test_a_thousand_are_named_at_once(anns, queries):
    tasks = [make_task(State.SUCCEEDED, anns.user) for _ in range(3)]
    anns.get("/user")
    with queries() as seen:
        found = done(anns, "dismiss", tasks=[str(task.id) for task in tasks] + [str(uuid4()) for _ in range(997)])
    assert (found["done"], found["missing"]) == (3, 997)
    assert seen.count <= 3 + 7 * 3, "for each that it does, what it does alone"
