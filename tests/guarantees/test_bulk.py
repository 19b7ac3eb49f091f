"""A bulk action whose worker is killed, told to stop, or whose operator pauses and cancels it, in the middle of it."""

import csv
import io
from collections import Counter

import pytest

from tasks.act_on_tasks import FILE, start
from tests.guarantees.sites import is_done, state_of
from tests.processes import until
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.models import Artifact, State, Task, TaskEvent, User
from webapp.models.bulk_actions.selection import select_some
from webapp.models.bulk_actions.snapshot import take_snapshot

NUMBER, REASON = 120, "The service is back."

pytestmark = pytest.mark.parametrize("shared_site", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def failed(site) -> list[Task]:
    """Tasks of many people, which fail once more whenever they are tried: nobody knows their function."""
    people = [make_user() for _ in range(8)]
    return [make_task(State.FAILED, people[number % 8], name="unknown") for number in range(NUMBER)]


@pytest.fixture
def operator(site) -> User:
    """Somebody who may act on them."""
    return make_staff()


def press(operator: User, action: str, tasks: list[Task]) -> Task:
    return start(operator, action, take_snapshot(action, select_some(task.id for task in tasks)), REASON)


def retries(tasks: list[Task]) -> Counter[int]:
    """How many of the tasks were retried how often."""
    said = TaskEvent.select(TaskEvent.task).where(TaskEvent.text == f"Retried by an operator: {REASON}").tuples()
    times = Counter(task_id for (task_id,) in said)
    return Counter(times[task.id] for task in tasks)


def listed(bulk: Task) -> Counter[tuple[str, str]]:
    """The rows of the file that it leaves."""
    [made] = [made for made in Artifact.completed([bulk])[bulk] if made.name == FILE]
    rows = csv.DictReader(io.StringIO(made.read().decode(), newline=""))
    return Counter((row["task"], row["outcome"]) for row in rows)


def assert_each_once(bulk: Task, tasks: list[Task]) -> None:
    until(lambda: is_done(bulk), 60)
    now = Task.get_by_id(bulk.id)
    assert (now.state, now.error, now.result) == (State.SUCCEEDED, "", f"Retried {NUMBER} tasks")
    assert retries(tasks) == {1: NUMBER}
    assert listed(bulk) == Counter((str(task.id), "done") for task in tasks)


def test_a_bulk_action_whose_workers_are_killed_again_and_again_does_each_once(site, operator, failed):
    site.worker()
    bulk = press(operator, "retry", failed)
    for share in (0.2, 0.5):
        until(lambda share=share: retries(failed)[0] <= NUMBER * (1 - share))
        site.kill_worker()
        assert retries(failed)[0] > 0, "it was in the middle"
        site.start_worker()
    assert_each_once(bulk, failed)
    assert Task.get_by_id(bulk.id).rescues == 2


def test_a_bulk_action_pauses_goes_on_and_moves_to_another_worker(site, operator, failed):
    site.worker()
    bulk = press(operator, "retry", failed)
    until(lambda: retries(failed)[0] < NUMBER * 0.8)
    Task.get_by_id(bulk.id).pause()
    until(lambda: state_of(bulk) == State.PAUSED)
    done = retries(failed)[1]
    assert 0 < done < NUMBER
    Task.get_by_id(bulk.id).resume()
    until(lambda: retries(failed)[1] > done)
    site.stop("worker")
    site.start_worker()
    assert_each_once(bulk, failed)


def test_a_bulk_action_that_is_canceled_leaves_the_rest_as_it_is(site, operator, failed):
    site.worker()
    bulk = press(operator, "remove", failed)
    until(lambda: len(left(failed)) < NUMBER * 0.8)
    Task.get_by_id(bulk.id).cancel()
    until(lambda: state_of(bulk) == State.CANCELED)
    kept = left(failed)
    assert 0 < len(kept) < NUMBER
    assert {task.state for task in kept} == {State.FAILED}


def left(tasks: list[Task]) -> list[Task]:
    return list(Task.select().where(Task.id.in_([task.id for task in tasks])))


def test_two_bulk_actions_over_the_same_tasks_share_them(site, operator, failed):
    site.worker()
    bulks = [press(person, "remove", failed) for person in (operator, make_staff())]
    until(lambda: is_done(*bulks), 60)
    counts = [Counter(outcome for _, outcome in listed(bulk).elements()) for bulk in bulks]
    assert sum(count["done"] for count in counts) == NUMBER
    assert sum(count["gone"] for count in counts) == NUMBER
    assert not left(failed)
