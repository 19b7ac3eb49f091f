"""Families: tasks of several parts, one after the other or side by side, that are one task to their owner."""

import pytest

from tasks.engine import TaskError, chain, chord, executor, group
from tasks.engine.config import config
from tasks.engine.models.workflow import tree
from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models import AlreadyRunning, Composition, Notification, State, Task

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def part(declare):
    """A part called by its number: it makes so many steps, and returns its number and what it was handed on."""

    @declare(title="Part {number}")
    def part(task, number: int = 1, steps: int = 2, fails: bool = False):
        for _ in task.each(range(steps)):
            pass
        if fails:
            raise TaskError(f"Part {number} broke.")
        return [number, *task.results]

    return part


def _run(times: int = 99) -> list[str]:
    """Carry out so many tasks; their titles in the order in which they ended."""
    while times and executor.execute_next():
        times -= 1
    ended = (
        Task.select()
        .where(Task.composition == Composition.SINGLE, Task.started_at.is_null(False))
        .order_by(Task.started_at)
    )
    return [task.title for task in ended]


def _states(parent: Task) -> list[str]:
    return [str(part.state) for part in parent.children()]


# One after the other, side by side


def test_a_chain_is_done_one_child_after_the_other(part):
    parent = chain(part.s(number=1), part.s(number=2), part.s(number=3)).launch(make_user())
    assert (parent.state, parent.composition, _states(parent)) == (
        State.PENDING,
        Composition.CHAIN,
        ["pending", "waiting", "waiting"],
    )
    _run(1)
    assert (parent.reload().state, _states(parent)) == (State.IN_PROGRESS, ["succeeded", "pending", "waiting"])
    assert _run() == ["Part 1", "Part 2", "Part 3"]
    assert (parent.reload().state, parent.done, parent.total) == (State.SUCCEEDED, 6, 6)
    assert parent.finished_at
    assert parent.title == "Part 1, then Part 2, then Part 3"


def test_a_group_is_in_line_at_once(part):
    parent = group(part.s(number=1), part.s(number=2), title="Both").launch(make_user())
    assert (parent.title, _states(parent)) == ("Both", ["pending", "pending"])
    _run(1)
    assert parent.reload().state == State.IN_PROGRESS
    _run()
    assert (parent.reload().state, parent.done, parent.total) == (State.SUCCEEDED, 4, 4)


def test_the_body_of_a_chord_comes_after_all_of_its_header(part):
    parent = chord([part.s(number=1), part.s(number=2)], part.s(number=3)).launch(make_user())
    assert _states(parent) == ["pending", "pending", "waiting"]
    _run(1)
    assert _states(parent).count("waiting") == 1
    assert _run()[-1] == "Part 3"
    assert parent.reload().state == State.SUCCEEDED


def test_results_of_children_are_handed_on(part):
    parent = chord([part.s(number=1), part.s(number=2)], part.s(number=3)).launch(make_user())
    _run()
    assert [task.result for task in parent.children()] == [[1], [2], [3, [1], [2]]]
    line = chain(part.s(number=1), part.s(number=2)).launch(make_user())
    _run()
    assert line.children()[-1].result == [2, [1]]


def test_workflows_can_be_children(part):
    inner = chain(part.s(number=2), part.s(number=3), title="Inner")
    parent = chain(part.s(number=1), group(inner, part.s(number=4)), part.s(number=5)).launch(make_user())
    assert len(Task.select()) == 8
    assert {task.root_id for task in Task.select()} == {None, parent.id}
    titles = _run()
    assert titles[0], titles[-1] == ("Part 1", "Part 5")
    assert titles.index("Part 2") < titles.index("Part 3")
    assert parent.reload().state == State.SUCCEEDED
    assert (parent.done, parent.total) == (10, 10)
    below = tree(parent)
    assert [len(below[task.id]) for task in (parent, parent.children()[1], below[parent.children()[1].id][0])] == [
        3,
        2,
        2,
    ]


def test_the_progress_of_a_parent_is_that_of_its_children(part, queries):
    parent = group(part.s(steps=3), part.s(steps=5), part.s(steps=0)).launch(make_user())
    running = Task.claim(config().lease)
    running.advance(2, 10, "On it")
    assert (parent.reload().done, parent.total) == (2, 12), "a part of unknown length counts as one step more"
    running.checkpoint({"done": 4}, 4, None, "", config().lease)
    assert (parent.reload().done, parent.total) == (4, 7)
    [record] = Notification.select()
    assert record.payload == {"state": "in_progress", "done": 4, "total": 7}


def test_only_the_parent_is_in_its_owners_lists_and_alerts(app, part):
    user = make_user("ann")
    parent = group(part.s(number=1), part.s(number=2), title="The whole").launch(user)
    _run(1)
    assert list(Task.of(user)) == [parent]
    assert [record.task_id for record in Notification.select()] == [parent.id]
    said = browse(app, user).get("/people/ann").words
    assert "The whole" in said
    assert "Part 1" not in said


# When one fails


def test_a_chain_ends_where_a_child_fails(part):
    parts = [part.s(number=n, fails=n == 2) for n in range(1, 6)]
    parent = chain(*parts).launch(make_user())
    assert _run() == ["Part 1", "Part 2"]
    assert _states(parent) == ["succeeded", "failed", "canceled", "canceled", "canceled"]
    assert (parent.reload().state, parent.error) == (State.FAILED, "1 of 5 parts failed. Part 2: Part 2 broke.")
    assert parent.timeline()[-1].text == parent.error


def test_a_chain_of_hundreds_ends_as_well_where_a_child_fails(part):
    parent = chain(*[part.s(number=n, steps=0, fails=n == 0) for n in range(120)]).launch(make_user())
    _run()
    assert (parent.reload().state, set(_states(parent))) == (State.FAILED, {"failed", "canceled"})


def test_the_rest_of_a_group_comes_to_its_end_when_one_fails(part):
    parent = group(*[part.s(number=n, fails=n == 1) for n in (1, 2, 3)]).launch(make_user())
    _run(2)
    assert parent.reload().state == State.IN_PROGRESS
    assert _run() == ["Part 1", "Part 2", "Part 3"]
    assert (parent.reload().state, _states(parent)) == (State.FAILED, ["failed", "succeeded", "succeeded"])


def test_a_chord_whose_header_fails_has_no_body(part):
    parent = chord([part.s(number=1, fails=True), part.s(number=2)], part.s(number=3)).launch(make_user())
    assert "Part 3" not in _run()
    assert (parent.reload().state, _states(parent)) == (State.FAILED, ["failed", "succeeded", "canceled"])


def test_a_failure_far_below_fails_everything_above(part):
    inner = group(part.s(number=1, fails=True), part.s(number=2))
    parent = chain(chain(inner, part.s(number=3)), chain(part.s(number=4), part.s(number=5))).launch(make_user())
    _run()
    assert parent.reload().state == State.FAILED
    assert not Task.select().where(Task.finished_at.is_null()).exists()
    assert {task.title for task in Task.select().where(Task.state == State.CANCELED)} >= {"Part 3", "Part 4", "Part 5"}


# What its owner asks for


@pytest.mark.parametrize("ran", [0, 1])
def test_canceling_the_parent_cancels_what_has_not_ended(part, ran):
    parent = chain(*[part.s(number=n) for n in range(4)]).launch(make_user())
    _run(ran)
    parent.reload().cancel()
    assert parent.reload().state == State.CANCELED
    assert _states(parent) == ["succeeded"] * ran + ["canceled"] * (4 - ran)
    assert not executor.execute_next()


def test_a_parent_is_canceled_when_its_last_running_child_has_noticed(part):
    parent = group(part.s(number=1), part.s(number=2), part.s(number=3)).launch(make_user())
    running = [Task.claim(config().lease) for _ in range(2)]
    parent.reload().cancel()
    assert (parent.reload().state, sorted(_states(parent))) == (State.CANCELING, ["canceled", "canceling", "canceling"])
    running[0].acknowledge_stop()
    assert parent.reload().state == State.CANCELING
    running[1].succeed()
    assert parent.reload().state == State.CANCELED


def test_canceling_nested_workflows_cancels_all_of_them(part):
    inner = [chain(part.s(number=n), part.s(number=n + 1)) for n in (1, 3, 5)]
    parent = chain(*inner, group(part.s(number=7), part.s(number=8))).launch(make_user())
    _run(1)
    parent.reload().cancel()
    assert parent.reload().state == State.CANCELED
    assert {str(task.state) for task in Task.select()} == {"succeeded", "canceled"}


def test_canceling_one_child_of_a_chain_ends_the_parent(part):
    parent = chain(*[part.s(number=n) for n in range(4)]).launch(make_user())
    _run(1)
    parent.children()[2].cancel()
    _run()
    assert parent.reload().state == State.CANCELED
    assert _states(parent) == ["succeeded", "succeeded", "canceled", "canceled"]


def test_a_child_may_be_paused_and_the_parent_waits_for_it(part):
    parent = chain(part.s(number=1), part.s(number=2)).launch(make_user())
    first = parent.children()[0]
    first.pause()
    assert _run() == []
    assert not parent.reload().is_finished
    first.resume()
    _run()
    assert parent.reload().state == State.SUCCEEDED


def test_trying_a_parent_again_does_only_what_was_not_done(part, declare):
    broken = [True]

    @declare(title="Mend")
    def mend(task):
        if broken:
            raise TaskError("Not yet.")
        return "mended"

    inner = chain(mend.s(), part.s(number=3))
    parent = chain(group(part.s(number=1), part.s(number=2)), inner, part.s(number=4)).launch(make_user())
    _run()
    assert parent.reload().state == State.FAILED
    before = Task.select().where(Task.state == State.SUCCEEDED).count()
    broken.clear()
    parent.retry()
    assert parent.reload().state == State.PENDING, "as long as no part has started again"
    assert (parent.error, parent.finished_at) == ("", None)
    assert [task.title for task in Task.select().where(Task.state == State.PENDING, Task.queue_key.is_null(False))] == [
        "Mend"
    ]
    times = {task.id: task.finished_at for task in Task.select().where(Task.title << ["Part 1", "Part 2"])}
    _run()
    assert parent.reload().state == State.SUCCEEDED
    assert {task.state for task in Task.select()} == {State.SUCCEEDED}
    assert before == 3
    assert times == {task.id: task.finished_at for task in Task.select().where(Task.title << ["Part 1", "Part 2"])}


def test_removing_a_parent_removes_its_children(part):
    parent = chain(part.s(number=1), group(part.s(number=2), part.s(number=3))).launch(make_user())
    _run()
    parent.reload().remove()
    assert not Task.select().exists()


def test_a_child_that_must_be_alone_and_is_not_starts_nothing(part, declare):
    @declare(title="Alone", one_at_a_time=True)
    def alone(task):
        pass

    user = make_user()
    alone.launch(user)
    with pytest.raises(AlreadyRunning):
        chain(part.s(), alone.s()).launch(user)
    assert Task.select().count() == 1


@pytest.mark.parametrize("compose", [chain, group, lambda: chord([], None)])
def test_a_workflow_of_nobody_is_refused(compose):
    with pytest.raises((ValueError, AttributeError)):
        compose()
