"""Timeouts: a run that takes too long is ended, which counts as an error; the alarm goes back to who had set it."""

import signal
import threading
import time

import pytest

from tasks.engine import perform
from tasks.engine.retries import TimedOut
from tasks.engine.timeouts import alarm
from webapp.factories import make_user
from webapp.models import Post, State

pytestmark = pytest.mark.usefixtures("no_reports")


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
def test_whatever_a_function_does_it_is_ended(declare, body):
    begun = time.monotonic()
    task = declare(title="Take long", timeout=0.05)(body).launch(make_user())
    perform.perform_next()
    assert time.monotonic() - begun < 5
    assert (task.reload().state, task.owner) == (State.FAILED, None)
    assert "took longer than" in task.error
    assert task.timeline()[-1].text == task.error


def test_it_says_how_long_was_too_long(declare):
    @declare(title="Take long", timeout=180)
    def take_long(task):
        raise TimedOut

    task = take_long.launch(make_user())
    perform.perform_next()
    assert task.reload().error == "It took longer than 3 minutes, and was stopped."


def test_it_is_an_error_that_may_pass(declare):
    @declare(title="Take long", timeout=0.05, retries=1)
    def take_long(task):
        task.wait(60)

    task = take_long.launch(make_user())
    perform.perform_next()
    assert (task.reload().state, task.attempts) == (State.RETRYING, 1)
    assert "took longer than" in task.error


def test_what_a_run_did_before_stands_and_the_step_that_took_too_long_is_undone(declare, live_on):
    slow = [True]

    @declare(title="Take long", timeout=0.3, retries=1)
    def take_long(task):
        for number in task.each(range(3), every_step=True):
            Post.create(user=task.user, body=str(number))
            if number == 1 and slow:
                slow.clear()
                task.wait(60)

    task = take_long.launch(make_user())
    perform.perform_next()
    assert [post.body for post in Post.select()] == ["0"]
    assert live_on(task).state == State.SUCCEEDED
    assert [post.body for post in Post.select().order_by(Post.id)] == ["0", "1", "2"]


def test_a_run_that_is_quick_enough_hears_nothing(declare):
    @declare(title="Be quick", timeout=60)
    def be_quick(task):
        pass

    task = be_quick.launch(make_user())
    perform.perform_next()
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


def _take_too_long() -> None:
    with pytest.raises(TimedOut), alarm(0.02):
        threading.Event().wait(30)


def _be_quick() -> None:
    with alarm(10):
        pass


@pytest.mark.parametrize("use", [_take_too_long, _be_quick])
def test_whoever_had_set_an_alarm_has_it_again(ours, use):
    use()
    assert signal.getsignal(signal.SIGALRM) is ours
    assert 40 < signal.getitimer(signal.ITIMER_REAL)[0] < 50


def test_an_alarm_of_nobody_is_left_to_nobody(ours):
    signal.setitimer(signal.ITIMER_REAL, 0)
    _be_quick()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_a_timeout_no_alarm_is_touched(ours):
    with alarm(None):
        assert signal.getsignal(signal.SIGALRM) is ours


def test_a_thread_that_can_not_be_interrupted_is_left_to_the_reporter(ours):
    done = []

    def run():
        with alarm(0.001):
            done.append(threading.Event().wait(0.02))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [False]
    assert signal.getsignal(signal.SIGALRM) is ours
