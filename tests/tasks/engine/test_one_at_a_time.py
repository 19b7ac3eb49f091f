"""One at a time: for each person, and where a function says so for each combination of some of its arguments."""

from datetime import date
from enum import StrEnum

import pytest
from peewee import IntegrityError

from tasks.engine import executor
from webapp.dev.factories import make_user
from webapp.models import AlreadyRunning, State, Task, User

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def convert(declare):
    """A task that is one at a time by its file and its size, in whatever colour."""

    @declare(title="Convert {file}", one_at_a_time=("file", "size"))
    def convert(task, file: str, size: int = 1, colour: str = "red", fails: bool = False):
        if fails:
            raise LookupError

    return convert


def test_the_same_arguments_are_refused_and_others_are_not(convert):
    ann, bob = make_user(), make_user()
    first = convert.launch(ann, file="a")
    with pytest.raises(AlreadyRunning) as refused:
        convert.launch(ann, file="a", colour="blue")
    assert refused.value.task == first
    convert.launch(ann, file="b")
    convert.launch(ann, file="a", size=2)
    convert.launch(bob, file="a")
    assert Task.select().count() == 4


def test_no_two_combinations_are_mistaken_for_each_other(declare):
    @declare(title="Pair", one_at_a_time=("one", "other"))
    def pair(task, one: str, other: str):
        pass

    user = make_user()
    for one, other in [("a", "bc"), ("ab", "c"), ("a,b", "c"), ("a", "b,c"), ("x" * 5000, "y"), ("x" * 5001, "y")]:
        pair.launch(user, one=one, other=other)
    assert Task.select().count() == 6


@pytest.mark.parametrize("fails", [True, False])
def test_the_key_is_free_when_the_first_has_ended(convert, fails):
    user = make_user()
    first = convert.launch(user, file="a", fails=fails)
    executor.execute_next()
    assert first.reload().is_finished
    assert (first.active_unique_key, first.unique_key is None) == (None, False)
    assert convert.launch(user, file="a").state == State.PENDING


def test_trying_again_takes_the_key_again(convert):
    user = make_user()
    first = convert.launch(user, file="a", fails=True)
    executor.execute_next()
    first.reload().retry()
    with pytest.raises(AlreadyRunning) as refused:
        convert.launch(user, file="a")
    assert refused.value.task == first


def test_trying_again_is_refused_while_another_has_the_key(convert):
    user = make_user()
    first = convert.launch(user, file="a", fails=True)
    executor.execute_next()
    second = convert.launch(user, file="a")
    before = Task.select().where(Task.id == first.id).dicts().get(), first.timeline().count()
    with pytest.raises(AlreadyRunning) as refused:
        first.reload().retry()
    assert refused.value.task == second
    assert (Task.select().where(Task.id == first.id).dicts().get(), first.timeline().count()) == before


@pytest.mark.parametrize("state", ["paused", "scheduled", "retrying"])
def test_what_has_not_ended_keeps_the_key(convert, state):
    user = make_user()
    first = convert.launch(user, file="a")
    if state == "paused":
        first.pause()
    else:
        Task.update(state=State(state), queue_key=None).where(Task.id == first.id).execute()
    with pytest.raises(AlreadyRunning):
        convert.launch(user, file="a")


def test_a_row_that_cannot_be_written_for_another_reason_is_not_tried_for_ever(app, declare):
    @declare(title="Alone", one_at_a_time=True)
    def alone(task):
        pass

    user = make_user()
    User.delete().where(User.id == user.id).execute()
    with pytest.raises(IntegrityError):
        alone.launch(user)
    assert not Task.select().exists()


def test_one_at_a_time_goes_by_values_that_json_does_not_have(declare):
    class Size(StrEnum):
        SMALL = "s"

    @declare(title="Cut", one_at_a_time=("day", "size", "words"))
    def cut(task, day: date, size: Size = Size.SMALL, words: list[str] = []):  # noqa: B006
        pass

    ann = make_user("ann")
    first = cut.launch(ann, day=date(2026, 11, 30), words=["a"])
    assert cut.under_way(ann, day=date(2026, 11, 30), size="s", words=("a",)) == first
    assert cut.under_way(ann, day=date(2026, 11, 30)) is None
    with pytest.raises(AlreadyRunning):
        cut.launch(ann, day=date(2026, 11, 30), words=["a"])
    cut.launch(ann, day=date(2026, 12, 1), words=["a"])
