"""A Redis that hangs, drips, refuses or is slow, while people start tasks and tasks run."""

import time
from collections.abc import Callable

import pytest

from tests.guarantees.sites import Workshop, assert_stamped_once, is_done, kinds, state_of
from tests.guarantees.worker import stamp
from tests.network import Network
from tests.processes import until
from tests.surfing import Surfer
from webapp.lib.redis_pool import ANSWERS_WITHIN
from webapp.models import State, Task, User

PROCESSES = 2  # of the web, and of the worker
SLACK = 3.0  # seconds: for a busy machine
UNTOUCHED = ["launched", "started", "succeeded"]
WEATHERS: dict[str, Callable[[Network], None]] = {
    "hangs": Network.stall,
    "drips": lambda network: network.drip(1.0),
    "refuses": Network.refuse,
    "is slow": lambda network: network.delay(0.3),
}


@pytest.fixture(scope="module")
def network(redis):
    """What is between a site and its Redis."""
    with Network(redis.port) as network:
        yield network


@pytest.fixture(scope="module")
def far_site(new_site, network, redis) -> Workshop:
    """A site with web and worker whose Redis is at the other end of that; this process is part of it."""
    redis.flush()
    site = new_site("sqlite", REDIS_URL=f"redis://127.0.0.1:{network.port}", WEB_CONCURRENCY=str(PROCESSES))
    site.start_web()
    site.worker()
    with site.entered():
        yield site


def _timed(action: Callable[..., object], *args: object, **options: object) -> float:
    begun = time.monotonic()
    action(*args, **options)
    return time.monotonic() - begun


@pytest.mark.parametrize("weather", WEATHERS)
def test_people_start_tasks_and_tasks_run_whatever_redis_does(far_site, network, weather):
    site, guest, other = far_site, Surfer(far_site.url), Surfer(far_site.url)
    guest.submit("/guest")
    running = stamp.launch(User.register_guest(), steps=40)
    until(lambda: state_of(running) == State.IN_PROGRESS)
    said = {name: len(site.processes[name].output().splitlines()) for name in ("web", "worker")}
    WEATHERS[weather](network)
    try:
        waits = [_timed(other.submit, "/guest")]
        waits += [_timed(person.start, "countdown", seconds="1") for person in (guest, guest, other, other)]
        assert max(waits) < ANSWERS_WITHIN + SLACK, "nobody waits longer"
        assert sum(waits) < PROCESSES * ANSWERS_WITHIN * 2 + len(waits) * 0.8 + SLACK, "nor does everybody wait"
        pages = [_timed(guest.read, page) for page in ("/healthz", "/readyz", "/")]
        assert max(pages) < ANSWERS_WITHIN, "they ask no Redis"
        started = list(Task.select().where(Task.name == "countdown").order_by(Task.created_at.desc()).limit(4))
        until(lambda: is_done(*started, running), 60)
    finally:
        network.heal()
    assert {tuple(kinds(task)) for task in started} == {tuple(UNTOUCHED)}, "once, and by the first who had it"
    assert_stamped_once(running)
    for name, lines in said.items():
        news = [line for line in site.processes[name].output().splitlines()[lines:] if " INFO " not in line]
        assert len(news) <= 4, news


def test_all_is_as_before_once_redis_is_back(far_site, redis):
    """The web processes that have seen all of that send messages again, which a worker takes."""
    site, guest = far_site, Surfer(far_site.url)
    site.stop("worker")
    guest.submit("/guest")
    with site.entered(REDIS_URL=redis.url):
        site.empty_queue()
        paths = []
        until(lambda: paths.append(guest.start("countdown", seconds="1")) or site.messages())
        site.worker()
        for path in paths:
            until(lambda path=path: guest.state_of(path) == "succeeded")
        assert site.messages() == 0
