"""Lost wake-ups: as many are sent again as the queue has lost, and none more."""

import time
from urllib.parse import urlsplit

import pytest

from tasks.countdown import countdown
from tasks.engine import wakeup
from tasks.engine.config import config
from tasks.engine.sweeper import Sweeper
from tasks.queue import huey
from tests.network import Network
from tests.processes import free_port
from tests.services import redis_server
from tests.tasks.engine.sweeping import AGO, lost_task, wakeups
from webapp.dev.factories import make_task, make_user
from webapp.lib import circuit_breaker
from webapp.lib.redis_pool import ANSWERS_WITHIN
from webapp.lib.times import utcnow
from webapp.models import Leader, State, Task

pytestmark = pytest.mark.usefixtures("each_look_sweeps")


def test_exactly_the_lost_wakeups_are_sent_again(app):
    user = make_user()
    for _ in range(5):
        countdown.launch(user, seconds=1)
    huey.storage.flush_queue()
    for _ in range(2):
        countdown.launch(user, seconds=1)
    one = Sweeper()
    one.look()
    assert wakeups() == 2, "they may only be on their way"
    for _ in range(4):
        one.look()
        assert wakeups() == 7


def test_a_healthy_backlog_gets_no_further_wakeup(app):
    user = make_user()
    for _ in range(5):
        countdown.launch(user, seconds=1)
    one = Sweeper()
    for _ in range(3):
        one.look()
    assert wakeups() == 5
    huey.dequeue()
    Task.claim(config().lease)
    for _ in range(3):
        one.look()
    assert wakeups() == 4


def test_tasks_that_wait_for_no_worker_get_no_wakeup(app):
    for state in set(State) - {State.PENDING}:
        make_task(state)
    one = Sweeper()
    for _ in range(3):
        one.look()
    assert wakeups() == 0


@pytest.mark.parametrize("queue", ["file", "redis"])
def test_where_far_more_messages_wait_than_tasks_half_of_what_is_too_much_is_dropped(
    make_app, redis_url, configure, queue
):
    """Workers take tasks without the message of each."""
    make_app(redis_url=redis_url if queue == "redis" else None)
    configure(keep_wakeups=10)
    user = make_user()
    for _ in range(20):
        wakeup.send()
    for _ in range(5):
        countdown.launch(user, seconds=1)
    one, left = Sweeper(), []
    for _ in range(4):
        one.look()
        left.append(wakeups())
    assert left == [15, 15, 15, 15], "as many as are kept for five tasks"


def test_a_look_sends_a_bounded_number_of_wakeups(app, configure):
    configure(wakeups_per_look=3)
    user = make_user()
    for _ in range(7):
        make_task(State.PENDING, user)
    one, sent = Sweeper(), []
    for _ in range(5):
        one.look()
        sent.append(wakeups())
    assert sent == [0, 3, 6, 7, 7]


def test_a_queue_that_is_down_keeps_nobody_from_being_rescued_and_is_filled_when_it_is_back(
    make_app, caplog, monkeypatch
):
    monkeypatch.setattr(circuit_breaker, "FIRST_WAIT", 0.0)  # it is asked again at once
    port = free_port()
    make_app(redis_url=f"redis://127.0.0.1:{port}/0")
    lost, due = lost_task(), make_task(State.SCHEDULED, run_at=utcnow() - AGO)
    one = Sweeper()
    for _ in range(2):
        one.look()
    assert (lost.reload().state, due.reload().state) == (State.PENDING, State.PENDING)
    assert caplog.text.count("The queue does not answer:") == 1, "it says so once"
    with redis_server(port):
        for _ in range(3):
            one.look()
        assert wakeups() == 2
        huey.storage.close()


def test_a_queue_that_hangs_costs_a_look_one_wait_however_much_is_to_be_done(make_app, redis_url):
    with Network(urlsplit(redis_url).port) as network:
        make_app(redis_url=f"redis://127.0.0.1:{network.port}{urlsplit(redis_url).path}")
        lost = [lost_task(user=make_user()) for _ in range(10)]
        due = [make_task(State.SCHEDULED, lost[0].user, run_at=utcnow() - AGO) for _ in range(40)]
        network.stall()
        begun = time.monotonic()
        one, other = Sweeper(token="one"), Sweeper()
        one.look()
        took = time.monotonic() - begun
        other.look()
        assert Leader.get().token == "one", "it has kept the lead"
    assert {task.reload().state for task in lost + due} == {State.PENDING}
    assert took < 10 * ANSWERS_WITHIN, "a wait for each would be more than a minute"
