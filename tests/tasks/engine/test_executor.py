"""Running: what a task function does is on the row, at a bounded cost, and whoever should stop does."""

import time
from contextlib import suppress

import pytest

from tasks.engine import TaskError, wakeup
from tasks.engine.models.phrases import UNEXPECTED, UNKNOWN
from tasks.engine.stop_flag import ShuttingDown
from tasks.queue import huey
from tests.browsing import browse
from tests.racing import elsewhere
from webapp.dev.factories import make_task, make_user
from webapp.models import Artifact, ArtifactChunk, State, Task


def _row(task_id) -> dict:
    return Task.select().where(Task.id == task_id).dicts().get()


# The outcome


def test_a_function_that_returns_has_succeeded(execute):
    def three_steps(task):
        for _ in task.each("abc"):
            pass

    task = execute(three_steps)
    assert (task.state, task.done, task.total, task.error) == (State.SUCCEEDED, 3, 3, "")
    assert task.started_at <= task.finished_at
    assert (task.fencing_token, task.stage) == (None, "")


def test_arguments_reach_the_function_and_its_owner_is_known(execute):
    seen = []

    def remember(task, text: str, number: int = 3):
        seen.append((task.user.id, task.id, text, number))

    task = execute(remember, text="héllo")
    assert seen == [(task.user_id, str(task.id), "héllo", 3)]


def test_a_task_error_is_told_in_its_own_words(execute):
    def refuse(task):
        task.total = 10
        task.advance(4)
        raise TaskError("The file has no column named “amount”.")

    task = execute(refuse)
    assert (task.state, task.done, task.total) == (State.FAILED, 4, 10)
    assert task.error == "The file has no column named “amount”."


def test_an_unexpected_error_is_logged_and_not_shown(app, execute, caplog):
    def divide(task):
        return 1 / 0

    task = execute(divide)
    assert (task.state, task.error) == (State.FAILED, str(UNEXPECTED()))
    assert "ZeroDivisionError" in caplog.text
    shown = browse(app, task.user).get(f"/tasks/{task.id}").text
    assert str(UNEXPECTED()).split(".")[0] in shown
    assert "ZeroDivision" not in shown
    assert "Traceback" not in shown


def test_a_kind_of_task_that_is_gone_fails_in_words(app, run_tasks):
    task = make_task(State.PENDING, name="sing")
    wakeup.send()
    run_tasks()
    assert (task.reload().state, task.error) == (State.FAILED, str(UNKNOWN()))


def test_one_bad_task_does_not_keep_the_next_from_running(execute):
    def fall(task):
        raise SystemError("everything is on fire")

    def stand(task):
        pass

    assert execute(fall).state == State.FAILED
    assert execute(stand).state == State.SUCCEEDED


# Steps


def test_twenty_thousand_steps_make_a_handful_of_writes(execute, queries):
    def many_steps(task):
        task.total = 20_000
        for _ in range(20_000):
            task.wait(0.00002)
            task.advance()

    begun = time.monotonic()
    with queries() as seen:
        task = execute(many_steps)
    reports = 2 * (time.monotonic() - begun)  # two a second, whatever the heartbeat believes
    updates = [query.msg[0] for query in seen.get_queries() if "UPDATE tasks" in query.msg[0].replace('"', "")]
    assert (task.state, task.done) == (State.SUCCEEDED, 20_000)
    assert 3 <= len(updates) <= reports + 3, "one to claim it, one to end it, and the reports"
    assert seen.count <= 8 * (reports + 4)


def test_progress_is_on_the_row_while_the_task_runs(execute, quick_heartbeat):
    seen = []

    def look_at_yourself(task):
        task.total = 10
        task.stage("Halfway")
        task.advance(5)
        end = time.monotonic() + 10
        while time.monotonic() < end and not (seen and seen[-1][0] == 5):
            task.wait(0.01)
            row = _row(task.id)
            seen.append((row["done"], row["total"], row["stage"], row["state"]))

    execute(look_at_yourself)
    assert seen[-1] == (5, 10, "Halfway", State.IN_PROGRESS)


def test_a_line_in_the_timeline_is_written_at_once(execute):
    seen = []

    def talk(task):
        task.log("Mailed to ann@example.com")
        seen.extend(event.text for event in Task.get_by_id(task.id).timeline())

    execute(talk)
    assert seen[-1] == "Mailed to ann@example.com"


# Stopping


def test_a_canceled_task_stops_at_its_next_step(execute, quick_heartbeat):
    steps = []

    def be_canceled(task):
        for step in task.each(range(1000)):
            steps.append(step)
            if step == 3:
                elsewhere(Task.get_by_id(task.id).cancel)
                task.wait(30)

    begun = time.monotonic()
    task = execute(be_canceled)
    assert steps == [0, 1, 2, 3]
    assert time.monotonic() - begun < 10, "a wait ends at once"
    assert (task.state, task.done, task.total, task.error) == (State.CANCELED, 4, 1000, "")
    assert [event.kind for event in task.timeline()] == ["launched", "started", "canceling", "canceled"]


def test_no_function_can_catch_a_cancel_by_mistake(execute, quick_heartbeat):
    def catch_everything(task):
        elsewhere(Task.get_by_id(task.id).cancel)
        task.wait(30)
        for _ in range(3):
            try:
                task.advance()
            except Exception:
                raise AssertionError("a stop is not an error") from None

    assert execute(catch_everything).state == State.CANCELED


def test_a_canceled_task_leaves_no_half_written_file(execute, quick_heartbeat):
    def write_and_be_canceled(task):
        with task.artifact("half.bin") as out:
            out.write(b"x" * 600_000)
            elsewhere(Task.get_by_id(task.id).cancel)
            task.wait(30)
            task.advance()

    assert execute(write_and_be_canceled).state == State.CANCELED
    assert not Artifact.select().exists()
    assert not ArtifactChunk.select().exists()


def test_the_last_step_wins_over_a_cancel(execute):
    def be_canceled_too_late(task):
        task.total = 1
        task.advance()
        elsewhere(Task.get_by_id(task.id).cancel)

    assert execute(be_canceled_too_late).state == State.SUCCEEDED


def test_a_worker_that_shuts_down_gives_the_task_back_and_another_finishes_it(execute, quick_heartbeat, configure):
    runs = []

    def write_a_file(task):
        runs.append(task.id)
        with task.artifact("lines.txt") as out:
            for number in task.each(range(3)):
                out.write(f"{number}\n")
                if len(runs) == 1 and number == 1:
                    task.wait(30)

    def is_the_first_worker() -> bool:
        return len(runs) == 1 and Task.get().state == State.IN_PROGRESS

    configure(is_shutting_down=is_the_first_worker)
    task = execute(write_a_file)
    assert [event.kind for event in task.timeline()] == ["launched", "started", "pending", "started", "succeeded"]
    assert (task.state, task.attempts, task.done) == (State.SUCCEEDED, 1, 3)
    [artifact] = Artifact.select()
    assert artifact.read() == b"0\n1\n2\n"


def test_a_worker_that_was_told_to_stop_claims_nothing_and_leaves_the_message_to_another(app, declare, configure):
    @declare(title="Wait")
    def wait(task):
        pass

    task = wait.launch(make_user())
    configure(is_shutting_down=lambda: True)
    huey.execute(huey.dequeue())
    assert (task.reload().state, task.attempts) == (State.PENDING, 0)
    assert huey.pending_count() == 1


def test_a_cancel_during_shutdown_is_not_forgotten(execute, quick_heartbeat, configure):
    def be_canceled_and_shut_down(task):
        elsewhere(Task.get_by_id(task.id).cancel)
        configure(is_shutting_down=lambda: True)
        task.wait(30)
        task.advance()

    assert execute(be_canceled_and_shut_down).state == State.CANCELED


def test_an_interrupted_task_goes_back_to_wait(execute):
    runs = []

    def be_interrupted_once(task):
        runs.append(task.id)
        if len(runs) == 1:
            raise KeyboardInterrupt

    task = execute(be_interrupted_once)
    assert [event.kind for event in task.timeline()] == ["launched", "started", "pending", "started", "succeeded"]


def test_unfinished_artifacts_of_a_killed_run_are_gone_after_the_next(app, declare, run_tasks):
    @declare(title="Write")
    def write(task):
        task.attach("new.txt", "new")

    task = make_task(State.PENDING, name="write", attempts=1, arguments={})
    killed = Artifact.create(task=task, name="old.txt")
    ArtifactChunk.create(artifact=killed, number=0, data=b"old")
    wakeup.send()
    run_tasks()
    assert task.reload().state == State.SUCCEEDED
    assert [artifact.name for artifact in Artifact.select()] == ["new.txt"]
    assert ArtifactChunk.select().count() == 1


# Losing the task to another run


def _lose(task) -> dict:
    Task.update(fencing_token="another run", done=7, total=9).where(Task.id == task.id).execute()
    return _row(task.id)


@pytest.mark.parametrize("notices", [True, False], ids=["noticed at a step", "not noticed until the end"])
def test_a_run_that_lost_its_task_changes_nothing(execute, quick_heartbeat, notices):
    left = []

    def lose(task):
        left.append(_lose(task))
        if notices:
            task.wait(30)
            task.advance()
            raise AssertionError("the step went through")

    task = execute(lose)
    assert _row(task.id) == left[0]
    assert [event.kind for event in task.timeline()] == ["launched", "started"]


def test_a_run_that_lost_its_task_does_not_answer_for_the_other_when_it_is_canceled(
    execute, quick_heartbeat, configure
):
    left = []

    def lose_it_to_a_run_that_is_canceled(task):
        configure(is_shutting_down=lambda: True)
        with suppress(ShuttingDown):
            task.wait(30)
        left.append(_lose(task))
        elsewhere(Task.get_by_id(task.id).cancel)
        left.append(_row(task.id))
        task.advance()

    task = execute(lose_it_to_a_run_that_is_canceled)
    assert _row(task.id) == left[-1], "the other run is still stopping, and will say when it has"
