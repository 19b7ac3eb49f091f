"""Workers whose network to PostgreSQL stalls, swallows, refuses or is cut: it is no task's fault, and nobody died."""

import time
from collections.abc import Callable, Iterator

import pytest

from tasks.engine.models.phrases import DIED_REPEATEDLY
from tests.guarantees.sites import LEASE, Workshop, assert_stamped_once, assert_written_once, is_under_way
from tests.guarantees.worker import stamp, stamp_first, write_lines
from tests.network import Network
from tests.processes import until
from webapp.models import Task, User


@pytest.fixture(scope="module")
def far_site(request, new_site) -> Iterator[Workshop]:
    """A site whose worker reaches PostgreSQL by a network."""
    site = new_site(request.param)
    with site.far_away() as network:
        site.network = network
        site.start_worker()
        yield site
        network.heal()
        site.close()


@pytest.fixture
def site(far_site) -> Iterator[Workshop]:
    with far_site.entered():
        yield far_site


def _stall(network: Network, seconds: float) -> None:
    network.stall()
    time.sleep(seconds)


def _swallow(network: Network, seconds: float) -> None:
    network.swallow()
    time.sleep(seconds)


def _refuse(network: Network, seconds: float) -> None:
    network.refuse()
    time.sleep(seconds)


def _cut(network: Network, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        network.cut()
        time.sleep(0.3)


FAULTS: dict[str, tuple[Callable[[Network, float], None], float]] = {
    "a short stall": (_stall, LEASE / 2),
    "a stall of a lease": (_stall, LEASE + 0.2),
    "a stall of more than a lease": (_stall, 1.5 * LEASE),
    "a stall of many leases": (_stall, 3 * LEASE),
    "a network that forgets its connections": (_swallow, 2 * LEASE),
    "a network that refuses connections": (_refuse, 2 * LEASE),
    "a network that cuts connections again and again": (_cut, LEASE),
}


# With Redis less is asked of PostgreSQL; what is, is the same.
CASES = [("postgres", fault) for fault in FAULTS] + [
    ("postgres and redis", "a stall of more than a lease"),
]


@pytest.mark.parametrize(("far_site", "fault"), CASES, indirect=["far_site"])
def test_a_network_that_fails_is_no_tasks_fault(site, fault):
    strike, seconds = FAULTS[fault]
    user = User.register_guest()
    running, writing = stamp_first.launch(user, steps=30), write_lines.launch(user, lines=30)
    waiting = stamp.launch(user, steps=3)
    until(lambda: is_under_way(running) and is_under_way(writing))
    strike(site.network, seconds)
    site.network.heal()
    healed = time.monotonic()
    assert_stamped_once(running, waiting, patience=60)
    assert_written_once(writing)
    print(f"{fault}: done {time.monotonic() - healed:.1f} s after")
    for task in running, writing, waiting:
        now = Task.get_by_id(task.id)
        assert now.attempts == 1
        assert not any(event.text == str(DIED_REPEATEDLY()) or event.kind == "failed" for event in task.timeline())
    assert site.processes["worker"].popen.poll() is None
    assert "Traceback" not in site.processes["worker"].output()
