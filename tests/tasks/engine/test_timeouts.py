"""Timeouts: a run that does not move, or takes too long, is ended; the alarm goes back to who had set it."""

import os
import signal
import threading
import time
from collections.abc import Callable
from itertools import count

import pytest

from tasks.engine import Retries, executor, memory, run_clock
from tasks.engine.errors import TimedOut
from tasks.engine.stop_flag import StopFlag, StopRequested
from tasks.engine.timeouts import alarm
from tests.racing import elsewhere
from webapp.dev.factories import make_user
from webapp.models import Post, State, Task

pytestmark = pytest.mark.usefixtures("no_heartbeat")
SHORT = 0.4  # seconds
LONG = 60.0  # seconds, which no run here takes


def _let_time_pass() -> None:
    """Be at the deadline of the run, however long that would take, and let the alarm ring."""
    run_clock.shared.at = time.monotonic()
    signal.raise_signal(signal.SIGALRM)


def _spin(task) -> None:
    while True:
        pass


def _wait(task) -> None:
    task.wait(60)


def _catch_what_can_be_caught(task) -> None:
    while True:
        try:
            task.wait(60)
        except Exception:
            raise AssertionError("it is none") from None


@pytest.mark.parametrize("body", [_spin, _wait, _catch_what_can_be_caught])
def test_a_timeout_ends_a_function_whatever_it_does(declare, body):
    begun = time.monotonic()
    task = declare(title="Take long", timeout=0.05)(body).launch(make_user())
    executor.execute_next()
    assert time.monotonic() - begun < 5
    assert (task.reload().state, task.fencing_token) == (State.FAILED, None)
    assert "took longer than" in task.error
    assert task.timeline()[-1].text == task.error


def test_a_timeout_says_its_seconds(declare):
    @declare(title="Take long", timeout=180)
    def take_long(task):
        raise TimedOut

    task = take_long.launch(make_user())
    executor.execute_next()
    assert task.reload().error == "It took longer than 3 minutes and was stopped."


def test_a_timeout_is_retried(declare):
    @declare(title="Take long", timeout=0.05, retries=1)
    def take_long(task):
        task.wait(60)

    task = take_long.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.attempts) == (State.RETRYING, 1)
    assert "took longer than" in task.error


def test_what_a_run_did_before_stands_and_the_step_that_took_too_long_is_undone(declare, live_on):
    slow = [True]

    @declare(title="Take long", timeout=LONG, retries=1)
    def take_long(task):
        for number in task.each(range(3), every_step=True):
            Post.create(user=task.user, body=str(number))
            if number == 1 and slow:
                slow.clear()
                _let_time_pass()

    task = take_long.launch(make_user())
    executor.execute_next()
    assert [post.body for post in Post.select()] == ["0"]
    assert live_on(task).state == State.SUCCEEDED
    assert [post.body for post in Post.select().order_by(Post.id)] == ["0", "1", "2"]


def test_a_run_that_timed_out_after_progress_uses_up_no_attempt(declare, live_on):
    runs = []

    @declare(title="Take long", timeout=LONG, retries=Retries(1, delay=0))
    def take_long(task):
        runs.append(task.done)
        for number in task.each(range(12), every_step=True):
            if number == 3 * len(runs):
                _let_time_pass()

    task = live_on(take_long.launch(make_user()))
    assert (task.state, task.attempts) == (State.SUCCEEDED, 1)
    assert runs == [0, 3, 6, 9]
    assert "Continuing from the latest step" in task.timeline()[2].text


def test_a_run_that_timed_out_without_progress_uses_up_an_attempt(declare, live_on):
    @declare(title="Take long", timeout=LONG, retries=Retries(2, delay=0))
    def take_long(task):
        for number in task.each(range(5), every_step=True):
            if number == 2:
                _let_time_pass()

    task = live_on(take_long.launch(make_user()))
    assert (task.state, task.attempts, task.done) == (State.FAILED, 3, 2)
    assert [event.kind for event in task.timeline()].count("started") == 4, "the first got further"


def test_a_timeout_without_retries_fails_the_task(declare, live_on):
    @declare(title="Take long", timeout=LONG)
    def take_long(task):
        for number in task.each(count(), every_step=True):
            if number == 3:
                _let_time_pass()

    assert live_on(take_long.launch(make_user())).state == State.FAILED


# By default


@pytest.fixture
def impatient(app, configure):
    """A site that gives a run SHORT seconds to move."""
    configure(timeout=SHORT)


def _is_put_off(act: Callable[[], object]) -> bool:
    """Whether this puts off a deadline that is near, by all the time that a run has."""
    before = run_clock.shared.at = time.monotonic() + LONG / 2
    act()
    return run_clock.shared.at >= before + LONG / 2


def _fill(task) -> None:
    with task.artifact("lines.txt") as out:
        assert _is_put_off(lambda: out.write("line"))


def _step(task) -> None:
    steps = iter(task.each(range(6)))
    next(steps)
    assert _is_put_off(lambda: next(steps))


MOVES = {
    "advance": lambda task: task.advance(),
    "stage": lambda task: task.stage("Going on"),
    "checkpoint": lambda task: task.checkpoint(),
    "log": lambda task: task.log("Still here"),
    "attach": lambda task: task.attach("a.txt", "text"),
    "a wait": lambda task: task.wait(0.01),
}


@pytest.mark.parametrize("move", MOVES)
def test_every_call_to_the_run_puts_its_deadline_off(execute, configure, move):
    configure(timeout=LONG)

    def go_on(task):
        assert _is_put_off(lambda: MOVES[move](task))

    assert execute(go_on).state == State.SUCCEEDED


@pytest.mark.parametrize("body", [_step, _fill], ids=["steps", "writes"])
def test_steps_and_writes_put_the_deadline_off(execute, configure, body):
    configure(timeout=LONG)

    def go_on(task):
        body(task)

    assert execute(go_on).state == State.SUCCEEDED


def test_a_wait_is_no_time_without_progress(execute, configure, monkeypatch):
    configure(timeout=LONG)
    left = []
    monkeypatch.setattr(StopFlag, "wait", lambda *_, **__: left.append(run_clock.shared.at - time.monotonic()))

    def wait(task):
        task.wait(3 * LONG)

    assert execute(wait).state == State.SUCCEEDED
    assert 3 * LONG < left[0] <= 4 * LONG


def test_a_run_without_progress_is_ended_and_says_for_how_long(execute, impatient):
    def hang_for_long(task):
        time.sleep(60)

    begun = time.monotonic()
    task = execute(hang_for_long)
    assert time.monotonic() - begun < 20
    assert task.state == State.FAILED
    assert task.error == f"It made no progress for {SHORT} seconds and was stopped."


def test_what_a_run_without_progress_had_done_before_stands(execute, configure):
    configure(timeout=LONG)

    def hang_in_a_step(task):
        for number in task.each(range(6), every_step=True):
            if number == 3:
                _let_time_pass()

    task = execute(hang_in_a_step)
    assert (task.state, task.done) == (State.FAILED, 3)


def test_a_timeout_of_its_own_takes_the_place_of_the_default(declare, impatient):
    @declare(title="Think", timeout=60)
    def think(task):
        time.sleep(3 * SHORT)

    task = think.launch(make_user())
    executor.execute_next()
    assert task.reload().state == State.SUCCEEDED


@pytest.mark.parametrize("timeout", [None, 600], ids=["by default", "a timeout of its own"])
@pytest.mark.parametrize(("what", "becomes"), [("cancel", State.CANCELED), ("pause", State.PAUSED)])
def test_a_run_asked_to_stop_is_ended_despite_progress(declare, configure, what, becomes, timeout):
    configure(timeout=180)

    @declare(title="Go on", timeout=timeout)
    def go_on(task):
        for _ in task.each(range(2)):
            elsewhere(getattr(Task.get_by_id(task.id), what))
            task.ask_to_stop(StopRequested)  # as the heartbeat says it
            assert run_clock.shared.at <= time.monotonic() + 180
            assert not _is_put_off(lambda: task.stage("Still in this step"))
            _let_time_pass()

    task = go_on.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.fencing_token) == (becomes, None)
    assert task.timeline()[-1].text.endswith("It didn’t reach its next step within 3 minutes and was stopped.")


# The alarm


def test_a_quick_run_gets_no_timeout(declare):
    @declare(title="Be quick", timeout=60)
    def be_quick(task):
        pass

    task = be_quick.launch(make_user())
    executor.execute_next()
    assert task.reload().state == State.SUCCEEDED


@pytest.fixture
def ours():
    """An alarm that somebody else has set, to ring in 50 seconds; and what the test had before it."""

    def ring(*_):
        raise AssertionError("it rang")

    before = signal.signal(signal.SIGALRM, ring)
    left = signal.setitimer(signal.ITIMER_REAL, 50)
    yield ring
    signal.setitimer(signal.ITIMER_REAL, *left)
    signal.signal(signal.SIGALRM, before)


def _until(seconds: float):
    """What says for how long an alarm that rings after so many seconds has to wait."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())


def _take_too_long() -> None:
    with pytest.raises(TimedOut), alarm(_until(0.02)):
        threading.Event().wait(30)


def _be_quick() -> None:
    with alarm(_until(10)):
        pass


@pytest.mark.parametrize("use", [_take_too_long, _be_quick])
def test_an_alarm_that_was_set_before_is_restored(ours, use):
    use()
    assert signal.getsignal(signal.SIGALRM) is ours
    assert 40 < signal.getitimer(signal.ITIMER_REAL)[0] < 50


def test_no_alarm_is_left_behind(ours):
    signal.setitimer(signal.ITIMER_REAL, 0)
    _be_quick()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_thread_gets_no_alarm(ours):
    done = []

    def run():
        with alarm(_until(0.001)):
            done.append(threading.Event().wait(0.02))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [False]
    assert signal.getsignal(signal.SIGALRM) is ours


def test_an_alarm_that_rings_as_the_block_ends_finds_its_handler(ours, monkeypatch):
    """Else it would find that of the process, which by default is to end it."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    left = []

    def set_handler(number, handler, set_really=signal.signal):
        left.append(signal.getitimer(signal.ITIMER_REAL)[0])
        return set_really(number, handler)

    monkeypatch.setattr(signal, "signal", set_handler)
    _be_quick()
    assert left == [0.0, 0.0], "nothing can ring as handlers are exchanged"


def test_an_alarm_rings_once():
    overdue = False
    with alarm(lambda: 0.0 if overdue else 10.0):
        overdue = True
        with pytest.raises(TimedOut):
            signal.raise_signal(signal.SIGALRM)
        signal.raise_signal(signal.SIGALRM)


def test_an_alarm_that_rings_as_it_is_set_leaves_no_handler_behind(ours):
    asked: list[bool] = []

    def ring_at_once() -> float:
        if not asked:
            asked.append(True)
            signal.raise_signal(signal.SIGALRM)
        return 0.0

    with pytest.raises(TimedOut), alarm(ring_at_once):
        pytest.fail("a block that is overdue begins")
    assert signal.getsignal(signal.SIGALRM) is ours


@pytest.mark.parametrize("retries", [0, 1])
def test_a_run_that_has_driven_its_process_past_its_memory_is_ended_in_words(declare, configure, monkeypatch, retries):
    taken = [100]
    monkeypatch.setattr(memory, "used", lambda pid=None: taken[0])

    @declare(title="Take much", retries=retries)
    def take_much(task):
        taken[0] = 101
        os.kill(os.getpid(), signal.SIGALRM)  # as its parent does, who sees it
        _spin(task)

    task = take_much.launch(make_user())
    configure(memory=100)
    executor.execute_next()
    assert task.reload().state == (State.RETRYING if retries else State.FAILED)
    assert task.error == "It needed more memory than a task may use and was stopped."


def test_an_alarm_that_comes_for_nothing_ends_nothing(declare, configure, monkeypatch):
    monkeypatch.setattr(memory, "used", lambda pid=None: 100)

    @declare(title="Go on")
    def go_on(task):
        os.kill(os.getpid(), signal.SIGALRM)

    task = go_on.launch(make_user())
    configure(memory=100)
    executor.execute_next()
    assert task.reload().state == State.SUCCEEDED
