"""Bulk actions: what an operator asks of many tasks is done to each once, and to none that was not meant."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from tasks import act_on_tasks as module
from tasks.act_on_tasks import FILE, start
from tasks.countdown import countdown
from tasks.engine import chain, executor
from tasks.engine.models.sealed import sealed
from tests.tasks.conftest import Killed
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, AuditEntry, State, Task, TaskEvent, User
from webapp.models.audit import Asker, Audited, Via, audit
from webapp.models.bulk_actions import act, auditing
from webapp.models.bulk_actions.act import Seen, act_on
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.bulk_actions.snapshot import take_snapshot

REASON = "The service is back."

pytestmark = pytest.mark.usefixtures("no_heartbeat", "at_once")


@pytest.fixture
def at_once(monkeypatch):
    """Nobody waits for a pace."""
    monkeypatch.setattr(act, "PER_SECOND", 10_000)


@pytest.fixture
def operator(app) -> User:
    return make_staff()


@pytest.fixture
def on_act(monkeypatch) -> Callable[..., None]:
    """`on_act(3, do)` does something besides as the third task is acted on, before that stands or `first` of all."""

    def on_act(number: int, do: Callable[[], object], first: bool = False) -> None:
        acts = []

        def acting(*args: object) -> Outcome:
            acts.append(args)
            if first and len(acts) == number:
                do()
            outcome = act_on(*args)
            if not first and len(acts) == number:
                do()
            return outcome

        monkeypatch.setattr(module, "act_on", acting)

    return on_act


def press(operator: User, action: str, tasks: list[Task], reason: str = REASON) -> Task:
    """What a press at the desk does: the task that acts on those, with its entry in the audit."""
    snapshot = take_snapshot(action, [task.id for task in tasks])
    with audit(Asker(user=operator, via=Via.PAGE, request_id="r1"), Audited.START_BULK, "", reason=reason) as entry:
        task = start(operator, action, snapshot, reason)
        entry.target, entry.count, entry.after = auditing.target_of(task), len(snapshot.seen), {"action": action}
    return task


def run(task: Task) -> Task:
    """Run what goes first of all: a bulk action."""
    assert executor.execute_next()
    return task.reload()


def states(tasks: list[Task]) -> Counter[State]:
    return Counter(task.reload().state for task in tasks)


def outcomes(task: Task) -> list[tuple[str, str]]:
    """What the file says that it leaves."""
    [made] = [made for made in Artifact.completed([task])[task] if made.name == FILE]
    rows = list(csv.reader(io.StringIO(b"".join(made.chunks()).decode())))
    assert rows[0] == ["task", "outcome"]
    return [(key, outcome) for key, outcome in rows[1:]]


def said(task: Task) -> list[str]:
    return [event.words() for event in TaskEvent.of(task.id)]


def entry_of_end() -> AuditEntry:
    return AuditEntry.get(AuditEntry.action == Audited.END_BULK)


def test_failed_tasks_of_many_people_are_retried_and_their_owners_read_why(operator):
    failed = [make_task(State.FAILED) for _ in range(3)]
    task = press(operator, "retry", failed)
    assert task.title_words() == "Retry 3 tasks for their owners"
    assert run(task).state == State.SUCCEEDED, task.error
    assert (task.result, task.done, task.total) == ("Retried 3 tasks", 3, 3)
    assert states(failed) == {State.PENDING: 3}
    assert [said(each)[-1] for each in failed] == [f"Retried by an operator: {REASON}"] * 3
    assert outcomes(task) == [(str(each.id), "done") for each in reversed(failed)]
    assert f"Because: {REASON}" in said(task)


def test_what_it_passes_over_is_said_with_the_reason(operator):
    tasks = [make_task(state) for state in (State.PENDING, State.IN_PROGRESS, State.PAUSED, State.PAUSED)]
    task = press(operator, "cancel", tasks)
    tasks[2].cancel()
    tasks[3].cancel()
    tasks[3].remove()
    run(task)
    assert task.result == "Canceled 2 tasks, 1 of them after its current step; skipped: 1 was so already, 1 was gone"
    assert Counter(outcome for _, outcome in outcomes(task)) == {
        "done": 1,
        "stops at its next step": 1,
        "was so already": 1,
        "gone": 1,
    }


PASSED_OVER = {
    "retry what has finished": ("retry", lambda: make_task(State.SUCCEEDED), Outcome.FINISHED),
    "retry what runs": ("retry", lambda: make_task(State.IN_PROGRESS), Outcome.ACTIVE),
    "retry what has never run": ("retry", lambda: make_task(State.SCHEDULED), Outcome.NEVER_RAN),
    "retry what has lost its secrets": (
        "retry",
        lambda: make_task(State.FAILED, arguments={"password": sealed(None)}),
        Outcome.NO_SECRETS,
    ),
    "cancel what has finished": ("cancel", lambda: make_task(State.SUCCEEDED), Outcome.FINISHED),
    "cancel what is being canceled": ("cancel", lambda: make_task(State.CANCELING), Outcome.ALREADY),
    "pause what is paused": ("pause", lambda: make_task(State.PAUSED), Outcome.ALREADY),
    "pause what is scheduled": ("pause", lambda: make_task(State.SCHEDULED), Outcome.UNABLE),
    "pause a workflow": ("pause", lambda: workflow(), Outcome.UNABLE),
    "resume what waits": ("resume", lambda: make_task(State.PENDING), Outcome.ALREADY),
    "delete what runs": ("remove", lambda: make_task(State.IN_PROGRESS), Outcome.ACTIVE),
    "cancel a part of a workflow": ("cancel", lambda: next(iter(workflow().children())), Outcome.PART),
    "cancel a bulk action": ("cancel", lambda: make_task(State.PENDING, name="act_on_tasks"), Outcome.BULK),
    "cancel what is deleted with its account": ("cancel", lambda: make_task(hidden=True), Outcome.GONE),
}


def workflow() -> Task:
    return chain(countdown.s(seconds=1), countdown.s(seconds=1)).launch(make_user())


@pytest.mark.parametrize("case", PASSED_OVER)
def test_the_snapshot_and_the_act_agree_on_what_is_passed_over(app, case):
    action, make, outcome = PASSED_OVER[case]
    task = make()
    moves = task.reload().moves
    assert take_snapshot(action, [task.id]).passed == {outcome: 1}
    assert act_on(action, Seen.of(task), REASON) == outcome
    assert task.reload().moves == moves


@pytest.mark.parametrize(
    ("action", "state", "becomes"),
    [
        ("retry", State.FAILED, State.PENDING),
        ("retry", State.CANCELED, State.PENDING),
        ("retry", State.RETRYING, State.PENDING),
        ("pause", State.PENDING, State.PAUSED),
        ("resume", State.PAUSED, State.PENDING),
        ("cancel", State.SCHEDULED, State.CANCELED),
    ],
)
def test_the_snapshot_and_the_act_agree_on_what_is_done(app, action, state, becomes):
    task = make_task(state)
    snapshot = take_snapshot(action, [task.id])
    assert (snapshot.states, snapshot.passed.total()) == ({state: 1}, 0)
    assert act_on(action, snapshot.seen[0], REASON) == Outcome.DONE
    assert task.reload().state == becomes


def test_a_workflow_is_acted_on_with_its_parts(operator):
    whole = workflow()
    run(press(operator, "cancel", [whole, *whole.children()]))
    assert states([whole, *whole.children()]) == {State.CANCELED: 3}


def test_work_of_the_site_is_acted_on_as_any_other(operator):
    task = make_task(State.FAILED, name="mail_account", hidden=True)
    run(press(operator, "retry", [task]))
    assert task.reload().state == State.PENDING


def test_deleting_takes_the_very_end_that_was_seen_and_no_later_one(operator):
    seen, changed = make_task(State.FAILED), make_task(State.FAILED)
    task = press(operator, "remove", [seen, changed])
    Task.update(finished_at=utcnow() + timedelta(seconds=1)).where(Task.id == changed.id).execute()
    assert run(task).result == "Deleted 1 task; skipped: 1 has run again since"
    assert [each.id for each in Task.select().where(Task.name == "countdown")] == [changed.id]


# What happens in the middle of it


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_run_that_is_killed_leaves_nothing_twice_and_nothing_out(operator, live_on, on_act, first, kill):
    failed = [make_task(State.FAILED) for _ in range(5)]
    task = press(operator, "retry", failed)
    on_act(3, lambda: kill("here"), first=first)
    with pytest.raises(Killed):
        executor.execute_next()
    executor_lets_go(task)
    assert states(failed) == {State.FAILED: 3, State.PENDING: 2}, "what was not recorded was not done"
    for again in failed[3:]:  # meanwhile these have run and failed once more
        Task.update(state=State.FAILED, finished_at=utcnow(), queue_key=None).where(Task.id == again.id).execute()
    assert live_on(task).state == State.SUCCEEDED
    assert task.result == "Retried 5 tasks"
    assert states(failed) == {State.PENDING: 3, State.FAILED: 2}
    assert [key for key, _ in outcomes(task)] == [str(each.id) for each in reversed(failed)]
    assert [said(each).count(f"Retried by an operator: {REASON}") for each in failed] == [1] * 5


def executor_lets_go(task: Task) -> None:
    """A worker that was killed holds nothing: what its connection has open is rolled back, and its lease ends."""
    from webapp.db import database

    if database.in_transaction():
        database.rollback()
