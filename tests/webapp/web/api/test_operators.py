"""What operators ask of other people's tasks, with which tokens; and how the owners hear of it."""

from itertools import product

import pytest

from tasks.engine.models.action_table import OWNER_ACTIONS
from tests.webapp.web.api.test_task_actions import LEASE, ask
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, Notification, State, Task, TaskEvent, User
from webapp.models.audit import Outcome, Via
from webapp.models.permissions import Action, Role, may
from webapp.models.scopes import Scope
from webapp.models.steering import STEERING as STEERED

STEERING = [name for name, row in OWNER_ACTIONS.items() if row.by_operators]
TOLD = {
    "cancel": "Canceled by an operator",
    "pause": "Paused by an operator",
    "resume": "Resumed by an operator",
    "retry": "Retried by an operator",
}


@pytest.fixture
def staff(program_of):
    """`staff(role, *scopes)`: a program of somebody new who has that role."""
    return lambda role, *scopes: program_of(make_user(role=role, totp_secret="sealed"), *scopes)


@pytest.fixture
def operator(staff):
    """A program of an operator's, for what is done at the desk alone."""
    return staff(Role.OPERATOR, Scope.DESK_WRITE)


def _task(action: str, **fields) -> Task:
    return make_task(next(iter(OWNER_ACTIONS[action].moves)), **fields)


@pytest.mark.parametrize("action", STEERING)
def test_operators_act_on_anybodys_task_and_its_timeline_and_the_log_say_who(operator, written, action):
    task = _task(action)
    lines = written("json")
    answer = ask(operator, action, task)
    assert answer.status_code in (200, 204)
    if action == "remove":
        assert Task.get_or_none(Task.id == task.id) is None
    else:
        assert answer.json["owner"] == {"id": task.user_id, "username": task.user.username}
        assert answer.json["arguments"] is None
        assert task.reload().state == OWNER_ACTIONS[action].moves[State(_task(action).state)]
        assert TaskEvent.of(task.id)[-1].words() == TOLD[action]
    [line] = [line for line in lines.objects("errand.security") if line["event"] == "task steered"]
    assert (line["account_id"], line["user_id"]) == (task.user_id, operator.user.id)
    assert (line["task_id"], line["operation"], line["token_id"]) == (str(task.id), f"{action}_task", operator.token.id)


REASON = "The mail server is down."


def _because(program, action: str, task: Task, reason: str):
    said = {"query_string": {"reason": reason}} if action == "remove" else {"json": {"reason": reason}}
    return ask(program, action, task, **said)


@pytest.mark.parametrize("action", STEERING)
def test_the_reason_of_an_operator_is_in_the_timeline_and_the_act_in_the_audit(operator, action):
    task = _task(action)
    assert _because(operator, action, task, f" {REASON} ").status_code in (200, 204)
    [entry] = AuditEntry.select()
    assert (entry.action, entry.target, entry.about_id) == (STEERED[action], f"task {task.id}", task.user_id)
    assert (entry.via, entry.token_id, entry.outcome) == (Via.API, operator.token.id, Outcome.DONE)
    assert (entry.actor_id, entry.reason) == (operator.user.id, REASON)
    if action != "remove":
        assert TaskEvent.of(task.id)[-1].words() == f"{TOLD[action]}: {REASON}"


def test_what_is_refused_to_an_operator_is_in_the_audit_also_where_all_was_to_happen_once(operator):
    task = make_task(State.SUCCEEDED)
    for headers in ({}, {"Idempotency-Key": "one"}):
        AuditEntry.delete().execute()
        path = f"/tasks/{task.id}/retry"
        assert operator.post(path, {"reason": REASON}, headers=headers).status_code == 409
        [entry] = AuditEntry.select()
        assert (entry.action, entry.outcome, entry.reason) == (STEERED["retry"], Outcome.REFUSED, REASON)


def test_who_may_only_look_is_in_the_audit_with_what_they_asked_for(staff):
    viewer, task = staff(Role.VIEWER, Scope.TASKS_WRITE, Scope.DESK_READ), make_task(State.PENDING)
    assert ask(viewer, "cancel", task).status_code == 403
    [entry] = AuditEntry.select()
    assert (entry.action, entry.outcome, entry.role) == (STEERED["cancel"], Outcome.REFUSED, "viewer")


def test_what_one_does_with_ones_own_is_in_no_audit(operator, program_of):
    owner = program_of(make_user(), Scope.TASKS_WRITE)
    for program in (owner, operator):
        assert _because(program, "cancel", make_task(State.PENDING, program.user), REASON).status_code == 200
    assert not AuditEntry.select().count()


def test_a_reason_is_no_longer_than_a_timeline_has_room_for(operator):
    task = make_task(State.PENDING)
    assert _because(operator, "cancel", task, "x" * 301).status_code == 422
    assert task.reload().moves == 0


def test_the_owner_hears_of_a_task_that_an_operator_cancels(operator, ann, run_tasks):
    at_once, running = make_task(State.PENDING, ann.user), make_task(State.IN_PROGRESS, ann.user)
    assert ask(operator, "cancel", at_once).status_code == 200
    assert ask(operator, "cancel", running).status_code == 202
    assert TaskEvent.of(running.id)[-1].words() == "Canceled by an operator; stopping after the current step"
    running.reload().acknowledge_stop()
    told = Notification.select().where(Notification.user == ann.user, Notification.kind_name == "canceled")
    assert {record.task_id for record in told} == {at_once.id, running.id}
    assert "An operator canceled" in ann.get("/notifications").words
    assert "Canceled by an operator" in ann.get(f"/tasks/{at_once.id}").words


def test_what_an_operator_does_with_their_own_task_is_their_own(program_of, written):
    operator = program_of(make_user(role=Role.OPERATOR, totp_secret="sealed"), Scope.DESK_WRITE)
    lines = written("json")
    task = make_task(State.PENDING, operator.user)
    assert ask(operator, "cancel", task).status_code == 200
    assert TaskEvent.of(task.id)[-1].words() == "Canceled by you"
    assert not [line for line in lines.objects("errand.security") if line["event"] == "task steered"]


@pytest.mark.parametrize("action", STEERING)
def test_who_may_only_look_is_told_so_and_for_anybody_else_there_is_nothing(staff, action):
    desk = Scope.DESK_READ, Scope.DESK_WRITE
    for role, scopes in product([None, *Role], [(), desk[:1], desk[1:], desk]):
        program, task = staff(role, Scope.TASKS_READ, Scope.TASKS_WRITE, *scopes), _task(action)
        looks = Scope.DESK_READ in scopes and may(program.user, Action.VIEW_DESK)
        acts = Scope.DESK_WRITE in scopes and may(program.user, Action.STEER)
        answer = ask(program, action, task)
        expected = (204 if action == "remove" else 200) if acts else 403 if looks else 404
        assert answer.status_code == expected, (role, scopes)
        if answer.status_code == 403:  # what is missing is the scope, or else the role
            is_operator = may(program.user, Action.STEER)
            assert answer.json.get("scope") == ("desk:write" if is_operator else None)
            assert answer.json["type"].endswith("insufficient-scope" if is_operator else "forbidden")
        if not acts:
            assert task.reload().moves == 0


READING = (
    "/tasks/{id}",
    "/tasks/{id}/events",
    "/tasks/{id}/children",
    "/tasks?parent={id}",
    "/tasks?owner=all",
    "/tasks",
)


@pytest.mark.parametrize("path", READING)
def test_whose_token_is_for_the_desk_alone_reads_anybodys_tasks_while_they_have_the_role(staff, path):
    viewer, task = staff(Role.VIEWER, Scope.DESK_READ), make_task(State.PENDING)
    assert viewer.get(path.format(id=task.id)).status_code == 200
    User.update(role=None).where(User.id == viewer.user.id).execute()
    answer = viewer.get(path.format(id=task.id))
    assert (answer.status_code, answer.json["scope"]) == (403, "tasks:read")


def test_who_has_the_role_is_told_which_scope_lets_them_see_everybodys_tasks(staff):
    answer = staff(Role.VIEWER, Scope.TASKS_READ).get("/tasks?owner=all")
    assert (answer.status_code, answer.json["scope"]) == (403, "desk:read")
    answer = staff(None, Scope.TASKS_READ, Scope.DESK_READ).get("/tasks?owner=all")
    assert (answer.status_code, answer.json["type"]) == (403, "/developers/problems/forbidden")


def test_a_refusal_for_want_of_a_role_is_in_the_security_log(staff, written):
    viewer, lines, task = staff(Role.VIEWER), written("json"), make_task(State.PENDING)
    assert ask(viewer, "cancel", task).status_code == 403
    [line] = [line for line in lines.objects("errand.security") if line["event"] == "permission refused"]
    assert (line["account_id"], line["action"]) == (viewer.user.id, "steer")
    assert ask(staff(None), "cancel", task).status_code == 404
    assert lines.objects("errand.security")[-1]["event"] == "not the owner"


@pytest.mark.parametrize("role", Role)
def test_what_is_the_owners_alone_no_role_does(staff, role):
    """Closing what somebody else has not seen yet, or rewriting what they have planned, is no repair."""
    program = staff(role)
    finished, scheduled = make_task(State.FAILED), make_task(State.SCHEDULED)
    assert ask(program, "dismiss", finished).status_code == 403
    assert program.patch(f"/tasks/{scheduled.id}", {"title": "Mine"}).status_code == 403
    assert finished.reload().moves == scheduled.reload().moves == 0


def test_without_a_second_factor_a_role_is_of_no_use(program_of):
    program = program_of(make_user(role=Role.ADMIN))
    assert ask(program, "cancel", make_task(State.PENDING)).status_code == 404


def test_a_desk_token_reads_nothing_that_is_the_owners(operator):
    task = make_task(State.PENDING)
    assert operator.get(f"/tasks/{task.id}").status_code == 403, "reading is for another scope"
    assert operator.get("/artifacts").status_code == 403


def test_what_does_not_work_is_refused_with_what_an_operator_may_do_instead(operator):
    task = make_task(State.SUCCEEDED)
    answer = ask(operator, "cancel", task)
    assert (answer.status_code, answer.json["state"], answer.json["allowed"]) == (409, "succeeded", ["deletion"])


def test_a_retry_by_an_operator_counts_for_the_owner(operator, allow):
    allow(Quota.ACTIVE_TASKS, 1)
    task = make_task(State.FAILED)
    make_task(State.PENDING, task.user)
    assert ask(operator, "retry", task).status_code == 422
    assert task.reload().state == State.FAILED
    assert [event.kind for event in TaskEvent.of(task.id)][-1] == "failed"


def test_an_operator_asks_under_conditions_as_well(operator, staff):
    task = make_task(State.IN_PROGRESS)
    etag = staff(Role.OPERATOR).get(f"/tasks/{task.id}").headers["ETag"]
    assert ask(operator, "cancel", task, headers={"If-Match": '"0"'}).status_code == 412
    assert ask(operator, "cancel", task, json={"attempt": 7}).status_code == 409
    assert ask(operator, "cancel", task, headers={"If-Match": etag}, json={"attempt": 1}).status_code == 202
    assert TaskEvent.of(task.id)[-1].words() == "Canceled by an operator; stopping after the current step"


def test_a_task_that_an_operator_lets_go_on_is_told_as_that_and_then_its_owners_own_again(operator, program_of):
    task = make_task(State.PAUSED)
    ask(operator, "resume", task)
    ask(program_of(task.user), "pause", task)
    assert [event.words() for event in TaskEvent.of(task.id)][-2:] == ["Resumed by an operator", "Paused by you"]
    assert not Notification.select().where(Notification.kind_name == "canceled").exists()
    assert Task.claim(LEASE) is None


@pytest.mark.parametrize("action", ["retry", "resume"])
def test_a_task_of_somebody_who_is_suspended_does_not_go_on(operator, action):
    task = _task(action, user=make_user(suspended_at=utcnow()))
    answer = ask(operator, action, task)
    assert (answer.status_code, answer.json["detail"]) == (409, "Its owner is suspended.")
    assert AuditEntry.get().outcome == Outcome.REFUSED
