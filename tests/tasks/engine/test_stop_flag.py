"""Stopping: cancel and pause work wherever a run is, and only a function's return is the end of a run."""

import time

import pytest

from tasks.engine.stop_flag import LeaseLost, ShuttingDown, StopFlag, StopRequested
from tests.racing import elsewhere
from webapp.models import Post, State, Task

pytestmark = pytest.mark.usefixtures("quick_heartbeat")
ASKED = [("cancel", State.CANCELED), ("pause", State.PAUSED)]


def _ask(task, what: str) -> None:
    """Somebody asks for it, and the heartbeat tells the run before its next step."""
    elsewhere(getattr(Task.get_by_id(task.id), what))
    task.ask_to_stop(StopRequested)


def _loop(task) -> None:
    for _ in task.each(range(5)):
        pass


def _before_the_first_loop(task, ask) -> None:
    ask(task)
    _loop(task)


def _after_a_loop(task, ask) -> None:
    _loop(task)
    ask(task)
    task.stage("Sending the mail")


def _after_a_loop_that_an_earlier_run_made(task, ask) -> None:
    _loop(task)
    task.checkpoint()
    ask(task)
    _loop(task)


def _between_loops(task, ask) -> None:
    _loop(task)
    ask(task)
    _loop(task)


def _waiting_after_a_loop(task, ask) -> None:
    _loop(task)
    ask(task)
    task.wait(60)


def _in_the_last_step_of_a_loop_that_work_comes_after(task, ask) -> None:
    for number in task.each(range(5)):
        if number == 4:
            ask(task)
    task.stage("Sending the mail")


def _by_hand(task, ask) -> None:
    for page in range(3):
        task.cursor = page
        ask(task) if page == 1 else None
        task.checkpoint()
    raise AssertionError("it goes on")


def _when_the_bar_is_full(task, ask) -> None:
    task.total = 2
    task.advance(2)
    ask(task)
    task.advance(0)


@pytest.mark.parametrize(("what", "becomes"), ASKED)
@pytest.mark.parametrize(
    "body",
    [
        _before_the_first_loop,
        _after_a_loop,
        _after_a_loop_that_an_earlier_run_made,
        _between_loops,
        _waiting_after_a_loop,
        _in_the_last_step_of_a_loop_that_work_comes_after,
        _by_hand,
        _when_the_bar_is_full,
    ],
)
def test_a_run_stops_wherever_it_is(execute, body, what, becomes):
    def stop(task):
        body(task, lambda task: _ask(task, what))
        raise AssertionError("it goes on")

    task = execute(stop)
    assert (task.state, task.error, task.fencing_token) == (becomes, "", None)


def _a_list(task):
    return range(3)


def _a_query(task):
    for number in range(3):
        Post.create(user=task.user, body=str(number))
    return Post.select().where(Post.user == task.user)


@pytest.mark.parametrize("items", [_a_list, _a_query])
@pytest.mark.parametrize("what", ["cancel", "pause"])
def test_a_run_that_returns_succeeds_although_asked_to_stop_in_its_last_step(execute, items, what):
    def go_through(task):
        for number, _ in enumerate(task.each(items(task))):
            if number == 2:
                _ask(task, what)

    task = execute(go_through)
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 3, 3)


@pytest.mark.parametrize("what", ["cancel", "pause"])
def test_a_run_that_counts_its_last_step_by_hand_succeeds_although_asked_to_stop(execute, what):
    def count(task):
        task.total = 3
        for number in range(3):
            if number == 2:
                _ask(task, what)
            task.advance()

    assert execute(count).state == State.SUCCEEDED


def test_a_query_that_has_grown_since_it_was_counted_stops_all_the_same(execute):
    def go_through(task):
        posts = _a_query(task)
        for number, _ in enumerate(task.each(posts)):
            if number == 2:
                elsewhere(lambda: Post.create(user=task.user, body="late"))
                _ask(task, "cancel")
            assert number < 3, "it goes on"

    assert execute(go_through).state == State.CANCELED


def test_a_run_that_pauses_itself_between_loops_does_not_spin(execute):
    turns = []

    def ask_its_owner(task):
        _loop(task)
        elsewhere(Task.get_by_id(task.id).pause)
        while True:
            turns.append(task.wait(60))

    begun = time.monotonic()
    task = execute(ask_its_owner)
    assert task.state == State.PAUSED
    assert not turns
    assert time.monotonic() - begun < 20


def test_a_step_that_waits_on_although_it_should_stop_does_not_spin(execute):
    turns = []

    def wait_for_something(task):
        for _ in task.each(range(9)):
            _ask(task, "cancel")
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                turns.append(task.wait(0.1))

    assert execute(wait_for_something).state == State.CANCELED
    assert len(turns) <= 6, "the first wait ends early, and no other"


# The flag itself


def test_the_first_reason_to_stop_stands_unless_the_lease_is_lost():
    flag = StopFlag()
    flag.raise_if_set()
    flag.set(StopRequested)
    flag.set(ShuttingDown)
    with pytest.raises(StopRequested):
        flag.raise_if_set()
    flag.raise_if_lease_lost()
    flag.set(LeaseLost)
    flag.set(StopRequested)
    with pytest.raises(LeaseLost):
        flag.raise_if_set()
    with pytest.raises(LeaseLost):
        flag.raise_if_lease_lost()


def test_a_set_flag_cuts_a_wait_short_and_further_waits_of_a_step_are_short(configure):
    configure(wait_once_stopped=0.05)
    flag, begun = StopFlag(), time.monotonic()
    flag.set(StopRequested)
    for _ in range(3):
        flag.wait(60, within_step=True)
    assert 0.1 <= time.monotonic() - begun < 20
    flag.wait(60, within_step=False)
    assert time.monotonic() - begun < 20
