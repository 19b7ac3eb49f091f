"""What a whole says of its parts while they run: how far they are, what they do, what of them has failed."""

import random
from datetime import timedelta

import pytest

from tasks.engine import Signature, TaskError, chain, chord, executor, group
from tasks.engine.models.signals import launched
from tasks.queue import huey
from webapp.db import database
from webapp.dev.factories import make_user
from webapp.models import AlreadyRunning, Composition, State, Task
from webapp.web.presenters.task_progress import Progress

LEASE = timedelta(seconds=15)

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def part(declare):
    """A part without a total of its own before it runs."""

    @declare(title="Part {number}")
    def part(task, number: int = 1, steps: int = 2, fails: bool = False):
        for _ in task.each(range(steps)):
            pass
        if fails:
            raise TaskError(f"Part {number} broke.")

    return part


@pytest.fixture
def known(declare):
    """A part whose total is known at launch."""

    @declare(title="Known {steps}", total=lambda steps: steps)
    def known(task, steps: int):
        for _ in task.each(range(steps)):
            pass

    return known


def _claim(number: int = 1) -> list[Task]:
    return [task for _ in range(number) if (task := Task.claim(LEASE))]


# Totals that are known at launch


def test_a_total_is_known_while_the_task_waits_and_while_it_runs(ann, known):
    task = known.launch(ann.user, steps=40)
    assert (task.reload().done, task.total) == (0, 40)
    assert ann.get("/").one(f"#task-{task.id}-progress")["max"] == "40"
    [running] = _claim()
    running.advance(10, 40, "")
    running.hand_back()
    assert (task.reload().done, task.total) == (0, 40), "without a checkpoint it begins anew, as long as before"


@pytest.mark.parametrize("total", [7, lambda steps: 3 * steps])
def test_a_total_may_be_a_number_and_what_a_loop_counts_does_not_change_it(declare, total):
    @declare(total=total)
    def walk(task, steps: int):
        seen.append(task.total)
        for _ in task.each(range(steps)):
            seen.append(task.total)

    seen = []
    task = walk.launch(make_user(), steps=2)
    expected = 7 if total == 7 else 6
    assert task.total == expected
    executor.execute_next()
    assert seen == [expected] * 3
    assert (task.reload().state, task.done, task.total) == (State.SUCCEEDED, expected, expected)


@pytest.mark.parametrize("total", [-1, 2.5, "3"])
def test_a_total_that_is_no_number_of_steps_starts_nothing(declare, total):
    @declare(total=lambda: total)
    def walk(task):
        pass

    with pytest.raises(ValueError, match="walk: its total is"):
        walk.launch(make_user())
    assert not Task.select().exists()


def test_a_parent_knows_its_total_at_launch_if_all_its_children_do(known, part):
    user = make_user()
    nested = chain(known.s(steps=10), group(known.s(steps=30), known.s(steps=60))).launch(user)
    assert (nested.reload().done, nested.total) == (0, 100)
    assert nested.children()[1].total == 90
    assert Progress(nested).percent == 0
    mixed = chain(known.s(steps=10), part.s()).launch(user)
    assert mixed.reload().expected is None, "nobody knows"


def test_children_of_known_length_weigh_by_it(known):
    parent = group(known.s(steps=10), known.s(steps=90)).launch(make_user())
    short, long = _claim(2)
    short.succeed()
    assert Progress(parent.reload()).percent == 10
    long.advance(45, 90, "")
    assert (Progress(parent.reload()).percent, parent.done, parent.total) == (55, 55, 100)


def test_children_of_which_one_is_of_unknown_length_weigh_the_same(known, part):
    parent = chain(known.s(steps=1000), *(part.s(number=n) for n in range(3))).launch(make_user())
    executor.execute_next()
    assert Progress(parent.reload()).percent == 25
    executor.execute_next()
    assert Progress(parent.reload()).percent == 50


# The bar


def _family(random: random.Random, part, known, depth: int = 2) -> Signature:
    """Any family: nested, with totals that are known before, or not, or wrong."""

    def leaf() -> Signature:
        return known.s(steps=random.randint(0, 50)) if random.random() < 0.5 else part.s()

    def some() -> list[Signature]:
        inner = lambda: _family(random, part, known, depth - 1) if depth and random.random() < 0.4 else leaf()  # noqa: E731
        return [inner() for _ in range(random.randint(1, 3))]

    kind = random.choice((chain, group, chord))
    return chord(some(), leaf()) if kind is chord else kind(*some())


def _go_on(random: random.Random, running: dict[Task, list]) -> None:
    """Whatever may happen to a part: it gets further, finds more to do, rests, is tried again, ends in any way."""
    task = random.choice(list(running))
    done, total = running[task]
    match random.choices(
        ("advance", "grow", "reset", "retry", "hand_back", "succeed", "fail"), (9, 3, 1, 1, 1, 4, 0.4)
    )[0]:
        case "advance":
            done += random.randint(0, 20)
            task.advance(done, total, random.choice(("", "On it")))
        case "grow":
            total = (total or done) + random.randint(0, 1000)
            task.advance(done, total, "")
        case "reset":
            done, total = 0, random.choice((None, 5))
            task.advance(done, total, "")
        case "retry":
            del running[task]
            task.retry_later(0, "Not yet.")
            return
        case "hand_back":
            del running[task]
            task.hand_back()
            return
        case "succeed":
            del running[task]
            task.done, task.total = done, total
            task.succeed()
            return
        case "fail":
            del running[task]
            task.fail("It broke.")
            return
    running[task] = [done, total]


@pytest.mark.parametrize("seed", range(12))
def test_the_bar_of_a_workflow_never_goes_back(app, part, known, seed):
    chance = random.Random(seed)
    parent = _family(chance, part, known).launch(make_user())
    running: dict[Task, list] = {}
    shares, seen = (
        [0.0],
        [parent.id, *(task.id for task in Task.select().where(Task.composition != Composition.SINGLE))],
    )
    latest = dict.fromkeys(seen, 0.0)
    for _ in range(400):
        for due in Task.due(9):
            due.enqueue()
        if chance.random() < 0.3 or not running:
            running |= {task: [0, task.total] for task in _claim()}
        if running:
            _go_on(chance, running)
        for task in Task.select().where(Task.id.in_(seen)):
            progress = Progress(task)
            share = progress.value / progress.max
            assert latest[task.id] <= share <= 1
            latest[task.id] = share
        shares.append(latest[parent.id])
        if parent.reload().is_finished:
            break
    assert parent.is_finished
    assert parent.state != State.SUCCEEDED or shares[-1] == 1
    assert len(set(shares)) > 1


def test_a_parent_that_is_tried_again_begins_with_what_is_done(part):
    parent = group(part.s(number=1), part.s(number=2, fails=True)).launch(make_user())
    while executor.execute_next():
        pass
    assert (parent.reload().state, Progress(parent).percent) == (State.FAILED, 100), (
        "its steps were made, and then it failed"
    )
    parent.retry()
    assert Progress(parent.reload()).percent == 50


def test_the_page_of_a_workflow_shows_its_share(ann, part):
    parent = chain(part.s(number=1), part.s(number=2)).launch(ann.user)
    executor.execute_next()
    bar = ann.get(f"/tasks/{parent.id}").one(f"#task-{parent.id}-progress")
    assert int(bar["value"]) / int(bar["max"]) == 0.5
    assert "50%" in ann.get("/").one(f"#task-{parent.id}").text
    Task.get_by_id(parent.id).cancel()
    assert "Canceled after 50%" in ann.get(f"/tasks/{parent.id}").words


def test_a_parent_from_an_older_release_is_shown_by_its_steps_until_it_moves(app, part):
    parent = chain(part.s(number=1), part.s(number=2)).launch(make_user())
    Task.update(share=None, done=3, total=6).where(Task.id == parent.id).execute()
    assert Progress(parent.reload()).percent == 50
    while executor.execute_next():
        pass
    assert Progress(parent.reload()).percent == 100


# What parts do, and what has failed of them


def test_the_stage_of_a_child_is_that_of_its_parent_at_once(ann, part):
    inner = group(part.s(number=1), part.s(number=2))
    parent = chain(inner, part.s(number=3)).launch(ann.user)
    one, other = _claim(2)
    one.advance(1, 2, "Exporting Week 3")
    assert "Exporting Week 3" in ann.get("/").one(f"#task-{parent.id}").text
    other.advance(1, 2, "Packing")
    assert parent.reload().stage == "Packing", "the latest to say something"
    other.succeed()
    assert parent.reload().stage == "Exporting Week 3", "who still does what it said"
    one.succeed()
    assert parent.reload().stage == ""


def test_a_failed_child_of_a_group_is_told_while_the_others_run(ann, part):
    inner = group(part.s(number=1), part.s(number=2), part.s(number=3), title="Inner")
    parent = chain(inner, part.s(number=4), title="Outer").launch(ann.user)
    broken, late, last = _claim(3)
    broken.fail("It broke.")
    words = "1 of 3 parts failed. Part 1: It broke."
    assert (parent.reload().state, parent.children()[0].error) == (State.IN_PROGRESS, words)
    assert words in ann.get("/").one(f"#task-{parent.id}").text
    assert words in ann.get(f"/tasks/{parent.id}").words
    late.fail("It broke, too.")
    assert "2 of 3 parts failed." in parent.reload().error
    told = [event.text for event in parent.timeline() if event.kind == "log"]
    assert len(told) == 2, "each once"
    last.succeed()
    assert (parent.reload().state, _texts(parent)[-1]) == (State.FAILED, parent.error)
    parent.retry()
    assert parent.reload().error == ""


def _texts(task: Task) -> list[str]:
    return [event.text for event in task.timeline()]


def test_a_chain_whose_child_fails_says_so_once(part):
    parent = chain(part.s(number=1, fails=True), part.s(number=2)).launch(make_user())
    while executor.execute_next():
        pass
    assert _texts(parent).count(parent.reload().error) == 1


def test_nothing_is_announced_of_what_a_savepoint_took_back(app, part, declare):
    """A caller that goes on after AlreadyRunning sends no wake-up for a row that is not there."""

    @declare(title="Alone", one_at_a_time=True)
    def alone(task):
        pass

    user, heard = make_user(), []
    alone.launch(user)
    while huey.dequeue():
        pass

    def hear(task):
        heard.append(task.title)

    with launched.connected_to(hear), database.atomic():
        with pytest.raises(AlreadyRunning):
            group(part.s(), alone.s()).launch(user)
        part.launch(user)
    assert heard == ["Part 1"]
    assert huey.pending_count() == 1
    assert Task.select().count() == 2
