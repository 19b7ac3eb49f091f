"""Bulk actions: what an operator asks of many tasks is done to each once, and to none that was not meant."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from tasks import act_on_tasks as module
from tasks.act_on_tasks import FILE, start
from tasks.countdown import countdown
from tasks.engine import chain, executor
from tasks.engine.models.sealed import sealed
from tasks.mail_task_outcome import line_up_outcomes
from tests.racing import elsewhere
from tests.tasks.conftest import Killed
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import AlreadyRunning, Artifact, AuditEntry, Notification, OutcomeMail, State, Task, TaskEvent, User
from webapp.models.audit import Asker, Audited, Via, audit
from webapp.models.audit import Outcome as AuditOutcome
from webapp.models.bulk_actions import act
from webapp.models.bulk_actions.act import Seen, act_on
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.bulk_actions.selection import select_some
from webapp.models.bulk_actions.snapshot import take_snapshot
from webapp.models.notification_kinds import DELETED
from webapp.models.permissions import Role
from webapp.models.steering import target_of

QUERIES_A_TASK = 17  # with those that begin and end savepoints
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
    snapshot = take_snapshot(action, select_some(task.id for task in tasks))
    with audit(Asker(user=operator, via=Via.PAGE, request_id="r1"), Audited.START_BULK, "", reason=reason) as entry:
        task = start(operator, action, snapshot, reason)
        entry.target, entry.count, entry.after = target_of(task), len(snapshot.able), {"action": action}
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
    assert rows[0] == ["task", "kind", "title", "owner", "outcome"]
    return [(key, outcome) for key, _, _, _, outcome in rows[1:]]


def labels(task: Task) -> list[list[str]]:
    """What the file says that the tasks were."""
    [made] = Artifact.completed([task])[task]
    return [row[1:4] for row in csv.reader(io.StringIO(made.read().decode(), newline=""))][1:]


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
    "retry what is of somebody suspended": (
        "retry",
        lambda: make_task(State.FAILED, make_user(suspended_at=utcnow())),
        Outcome.SUSPENDED,
    ),
    "resume what is of somebody suspended": (
        "resume",
        lambda: make_task(State.PAUSED, make_user(suspended_at=utcnow())),
        Outcome.SUSPENDED,
    ),
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
    assert take_snapshot(action, select_some([task.id])).passed == {outcome: 1}
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
    snapshot = take_snapshot(action, select_some([task.id]))
    assert (snapshot.states, snapshot.passed.total()) == ({state: 1}, 0)
    assert act_on(action, snapshot.seen()[0], REASON) == Outcome.DONE
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


def test_its_file_says_what_each_task_was_and_whose_also_of_those_that_it_deleted(operator):
    ann = make_user("ann")
    tasks = [make_task(State.FAILED, ann, title="=Count, to 9"), make_task(State.FAILED, ann, name="gone_since")]
    gone = make_task(State.FAILED, ann)
    task = press(operator, "remove", [*tasks, gone])
    gone.remove()
    run(task)
    title = tasks[1].title_words()
    assert sorted(labels(task)) == sorted(
        [["Countdown", "'=Count, to 9", "ann"], ["gone_since", title, "ann"], ["", "", ""]]
    )
    assert Counter(outcome for _, outcome in outcomes(task)) == {"done": 2, "gone": 1}
    told = [str(each) for each in Notification.of(ann) if each.kind is DELETED]
    assert sorted(told) == sorted(f"An operator deleted {each}: {REASON}" for each in ("=Count, to 9", title))


# What happens in the middle of it


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_run_that_is_killed_leaves_nothing_twice_and_nothing_out(operator, on_act, first, kill):
    failed = [make_task(State.FAILED) for _ in range(5)]
    task = press(operator, "retry", failed)
    on_act(3, lambda: kill("here"), first=first)
    with pytest.raises(Killed):
        executor.execute_next()
    assert states(failed) == {State.FAILED: 3, State.PENDING: 2}, "what was not recorded was not done"
    for again in failed[3:]:  # meanwhile these have run, and failed once more
        Task.update(state=State.FAILED, finished_at=utcnow(), queue_key=None).where(Task.id == again.id).execute()
    Task.update(lease_until=utcnow() - timedelta(seconds=1)).where(Task.id == task.id).execute()
    assert [lost.rescue() for lost in Task.lost(10)] == [True]
    assert run(task).result == "Retried 5 tasks"
    assert states(failed) == {State.PENDING: 3, State.FAILED: 2}
    assert [key for key, _ in outcomes(task)] == [str(each.id) for each in reversed(failed)]
    assert all(all(label) for label in labels(task))
    assert [said(each).count(f"Retried by an operator: {REASON}") for each in failed] == [1] * 5
    assert AuditEntry.select().where(AuditEntry.action == Audited.END_BULK).count() == 1


def test_a_task_that_has_failed_again_since_the_press_is_not_retried_again(operator):
    seen, again = make_task(State.FAILED), make_task(State.FAILED)
    task = press(operator, "retry", [seen, again])
    again.retry()
    Task.claim(timedelta(minutes=1))  # the bulk action, which goes first
    Task.update(state=State.PENDING, queue_key=-(10**12), fencing_token=None, lease_until=None).where(
        Task.id == task.id
    ).execute()
    Task.update(state=State.FAILED, finished_at=utcnow(), queue_key=None).where(Task.id == again.id).execute()
    assert run(task).result == "Retried 1 task; skipped: 1 has run again since"
    assert states([seen, again]) == {State.PENDING: 1, State.FAILED: 1}


def test_of_two_who_act_on_the_same_tasks_each_task_is_done_by_one(operator):
    failed = [make_task(State.FAILED) for _ in range(3)]
    one, other = press(operator, "retry", failed), press(make_staff(), "retry", failed)
    run(one)
    run(other)
    results = {one.reload().result, other.reload().result}
    assert results == {"Retried 3 tasks", "Retried 0 tasks; skipped: 3 hadn’t ended"}
    assert [said(each).count(f"Retried by an operator: {REASON}") for each in failed] == [1] * 3


def test_an_operator_has_one_at_a_time(operator):
    press(operator, "cancel", [make_task()])
    with pytest.raises(AlreadyRunning):
        press(operator, "cancel", [make_task()])
    assert [entry.outcome for entry in AuditEntry.select()] == [AuditOutcome.DONE, AuditOutcome.REFUSED]
    press(make_staff(), "cancel", [make_task()])


# Who may


NO_MORE = {
    "demoted": {"role": Role.VIEWER},
    "without a role": {"role": None},
    "without a second factor": {"totp_secret": None},
}


@pytest.mark.parametrize("change", NO_MORE)
def test_who_may_no_more_by_the_time_it_runs_does_nothing(operator, change):
    tasks = [make_task() for _ in range(3)]
    task = press(operator, "cancel", tasks)
    User.update(**NO_MORE[change]).where(User.id == operator.id).execute()
    assert run(task).state == State.FAILED
    assert task.error == "You may not do this any more. The tasks that were left have been let be."
    assert states(tasks) == {State.PENDING: 3}
    end = entry_of_end()
    assert (end.outcome, end.error, end.count, end.actor_id) == (AuditOutcome.REFUSED, task.error, 0, operator.id)


def test_who_may_no_more_in_the_middle_stops_after_a_batch_and_goes_on_once_they_may_again(
    operator, on_act, monkeypatch
):
    monkeypatch.setattr(module, "BATCH", 2)
    tasks = [make_task() for _ in range(5)]
    task = press(operator, "cancel", tasks)
    on_act(3, lambda: User.update(role=None).where(User.id == operator.id).execute())
    assert run(task).state == State.FAILED
    assert states(tasks) == {State.CANCELED: 4, State.PENDING: 1}
    User.update(role=Role.OPERATOR).where(User.id == operator.id).execute()
    task.retry()
    assert run(task).result == "Canceled 5 tasks"
    assert [outcome for _, outcome in outcomes(task)] == ["done"] * 5


# What it leaves


def test_its_end_is_in_the_audit_with_who_asked_for_it_and_what_came_of_it(operator):
    task = press(operator, "cancel", [make_task(), make_task(), make_task(State.PAUSED)])
    Task.update(state=State.SUCCEEDED).where(Task.state == State.PAUSED).execute()
    run(task)
    begun, end = AuditEntry.select().order_by(AuditEntry.id)
    assert (begun.action, end.action) == (Audited.START_BULK, Audited.END_BULK)
    same = ("actor_id", "role", "via", "request_id", "target", "reason")
    assert [getattr(end, name) for name in same] == [getattr(begun, name) for name in same]
    assert (begun.count, end.count, end.outcome) == (3, 2, AuditOutcome.DONE)
    assert end.after == {"action": "cancel", "outcomes": {"done": 2, "had finished": 1}}


def test_one_that_is_canceled_says_in_the_audit_how_far_it_came(
    operator, on_act, configure, monkeypatch, quick_heartbeat
):
    configure(heartbeat=True)
    monkeypatch.setattr(act, "PER_SECOND", 20)
    tasks = [make_task() for _ in range(40)]
    task = press(operator, "cancel", tasks)
    on_act(2, lambda: elsewhere(Task.get_by_id(task.id).pause), first=True)
    assert run(task).state == State.PAUSED
    done = states(tasks)[State.CANCELED]
    assert 2 <= done < 40
    task.cancel()
    assert (entry_of_end().count, entry_of_end().outcome) == (done, AuditOutcome.DONE)


def test_the_quotas_of_owners_hold_and_whoever_is_at_theirs_is_passed_over(operator, allow):
    allow(Quota.ACTIVE_TASKS, 2)
    busy, idle = make_user(), make_user()
    tasks = [make_task(State.FAILED, busy) for _ in range(4)] + [make_task(State.FAILED, idle)]
    assert run(press(operator, "retry", tasks)).result == (
        "Retried 3 tasks; skipped: 2 are of people who have reached a limit"
    )


def test_a_task_that_somebody_else_holds_is_passed_over_as_busy(make_app, emptied_postgres, monkeypatch):
    make_app(database_url=emptied_postgres)
    monkeypatch.setattr(act, "BUSY_FOR", 0.2)
    held, free = make_task(), make_task()
    task = press(make_staff(), "cancel", [held, free])
    with psycopg.connect(emptied_postgres) as other:
        other.execute("SELECT 1 FROM tasks WHERE id = %s FOR NO KEY UPDATE", (held.id,))  # as a run does in a long step
        assert run(task).result == "Canceled 1 task; skipped: 1 was busy at that moment"


def test_many_tasks_of_one_owner_that_are_canceled_make_one_mail(operator, run_tasks, mailserver, make_app):
    owner = make_user(email="ann@example.com", hearing={"canceled": "mail"})
    tasks = [make_task(user=owner) for _ in range(60)]
    run(press(operator, "cancel", tasks))
    assert OutcomeMail.select().where(OutcomeMail.user == owner).count() == 60
    line_up_outcomes(10)
    run_tasks()
    [mail] = mailserver.mails
    assert "60 tasks ended" in mail["Subject"]


def test_each_task_costs_the_same_few_queries(operator, queries):
    def cost(number: int) -> int:
        task = press(operator, "retry", [make_task(State.FAILED) for _ in range(number)])
        Task.update(queue_key=None).where(Task.state == State.PENDING, Task.id != task.id).execute()
        with queries() as seen:
            run(task)
        return seen.count

    assert round((cost(30) - cost(10)) / 20) == QUERIES_A_TASK, "and one or two by the clock"


def test_a_bulk_action_keeps_its_pace(operator, monkeypatch):
    monkeypatch.setattr(act, "PER_SECOND", 50)
    slept = []
    pace = act.Pace(slept.append)
    for _ in range(3):
        pace.wait()
    assert len(slept) == 2
    assert 0.02 < slept[0] + slept[1] < 0.06
