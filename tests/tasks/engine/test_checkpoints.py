"""Checkpoints: a run that is killed is followed by one that goes on; what a step writes is made once, or not at all."""

import pytest

from tasks.engine import Retries, TaskError, executor
from tasks.engine.models.phrases import DIED_REPEATEDLY, UNEXPECTED
from tasks.engine.models.sweeping import MOST_RESCUES
from tests.tasks.conftest import Killed
from webapp.dev.factories import make_posts, make_user
from webapp.models import Post, State, Task

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(each_database):
    """All of this holds on both databases."""
    return each_database


@pytest.fixture(params=[0.0, 60.0], ids=["a checkpoint after each step", "one at the end"])
def hold(request, checkpoints):
    """For how long steps that write share a transaction."""
    checkpoints(hold=request.param)


@pytest.fixture
def each_step(checkpoints):
    """A checkpoint after each step that writes."""
    checkpoints(hold=0.0)


def _effects() -> list[str]:
    return [post.body for post in Post.select().order_by(Post.id)]


ITEMS = {
    "a list": lambda: ["0", "1", "2", "3", "4"],
    "a range": lambda: range(5),
    "a text": lambda: "01234",
    "an iterator": lambda: iter(range(5)),
    "a generator": lambda: (n for n in range(5)),
    "a query": lambda: Post.select().where(Post.body.startswith("Post ")).order_by(Post.created_at, Post.id),
}


@pytest.mark.parametrize("kind", ITEMS)
def test_each_step_is_made_once_whatever_it_goes_through(declare, live_on, hold, kill, kind):
    make_posts(make_user(), 5)
    names = [str(getattr(item, "body", item)) for item in ITEMS[kind]()]

    @declare(title="Write")
    def write(task):
        for item in task.each(ITEMS[kind]()):
            name = str(getattr(item, "body", item))
            if name == names[1]:
                kill("before it wrote")
            Post.create(user=task.user, body=f"for {name}")
            if name == names[3]:
                kill("after it wrote")

    task = live_on(write.launch(make_user()))
    assert _effects()[5:] == [f"for {name}" for name in names]
    assert (task.state, task.done) == (State.SUCCEEDED, 5)
    assert task.total == 5
    assert (task.attempts, task.rescues) == (1, 2), "who dies has not failed"


def test_a_task_that_makes_progress_survives_any_number_of_crashes(declare, live_on, checkpoints, kill):
    checkpoints(hold=60.0)

    @declare(title="Write")
    def write(task):
        for number in task.each(range(10)):
            kill(number)  # before each step, so a run makes one step and dies in the next
            Post.create(user=task.user, body=str(number))

    task = live_on(write.launch(make_user()))
    assert (task.state, task.rescues, _effects()) == (State.SUCCEEDED, 10, [str(number) for number in range(10)])


def test_a_step_that_kills_its_worker_each_time_ends_the_task_wherever_it_comes(declare, live_on, each_step):
    @declare(title="Write")
    def write(task):
        for number in task.each(range(10)):
            if number == 3:
                raise Killed
            Post.create(user=task.user, body=str(number))

    task = live_on(write.launch(make_user()))
    assert (task.state, task.error, _effects()) == (State.FAILED, str(DIED_REPEATEDLY()), ["0", "1", "2"])
    assert (task.rescues, task.crashes) == (MOST_RESCUES, MOST_RESCUES)


def test_several_loops_go_on_where_each_was(declare, live_on, hold, kill):
    @declare(title="Write")
    def write(task):
        for letter in "abc":
            for number in task.each(range(3)):
                Post.create(user=task.user, body=f"{letter}{number}")
                if number == 1:
                    kill(letter)

    task = live_on(write.launch(make_user()))
    assert _effects() == [f"{letter}{number}" for letter in "abc" for number in range(3)]
    assert (task.done, task.total) == (9, 9)


def test_a_loop_in_a_function_of_its_own_goes_on_as_well(declare, live_on, hold, kill):
    def doubled(numbers):
        for number in numbers:
            yield 2 * number

    @declare(title="Write")
    def write(task):
        for number in doubled(task.each(range(4))):
            Post.create(user=task.user, body=str(number))
            if number == 4:
                kill("in the middle")

    live_on(write.launch(make_user()))
    assert _effects() == ["0", "2", "4", "6"]


def test_a_loop_that_was_left_by_break_is_done(declare, live_on, hold, kill):
    @declare(title="Write")
    def write(task):
        for number in task.each(range(10)):
            Post.create(user=task.user, body=f"a{number}")
            if number == 2:
                break
        for number in task.each(range(2)):
            Post.create(user=task.user, body=f"b{number}")
            kill(number)

    task = live_on(write.launch(make_user()))
    assert _effects() == ["a0", "a1", "a2", "b0", "b1"]
    assert (task.done, task.total) == (5, 5)


def test_a_break_at_the_end_of_a_task_keeps_what_was_written(declare, live_on, hold):
    @declare(title="Write")
    def write(task):
        for number in task.each(range(10)):
            Post.create(user=task.user, body=f"a{number}")
            if number == 2:
                break

    task = live_on(write.launch(make_user()))
    assert _effects() == ["a0", "a1", "a2"]
    assert (task.state, task.done) == (State.SUCCEEDED, 10), "success fills the bar"


def test_a_step_that_fails_is_undone_and_the_next_attempt_makes_it_and_the_rest(declare, live_on, hold):
    failures = []

    @declare(title="Write", retries=Retries(1, on=(RuntimeError,)))
    def write(task):
        for number in task.each(range(5)):
            Post.create(user=task.user, body=str(number))
            if number == 2 and not failures:
                failures.append(_effects())
                raise RuntimeError("a bad day")

    task = write.launch(make_user())
    executor.execute_next()
    assert task.reload().state == State.RETRYING
    assert "2" not in _effects()
    assert task.done == len(_effects()), "what it says is what there is"
    live_on(task)
    assert failures == [["0", "1", "2"]]
    assert _effects() == ["0", "1", "2", "3", "4"]
    assert (task.state, task.done, task.total, task.attempts) == (State.SUCCEEDED, 5, 5, 2)


def test_a_task_that_failed_goes_on_when_its_owner_tries_it_again(declare, live_on, each_step):
    failing = [True]

    @declare(title="Write")
    def write(task):
        for number in task.each(range(5)):
            Post.create(user=task.user, body=str(number))
            if number == 2 and failing:
                raise RuntimeError("a bad day")

    task = live_on(write.launch(make_user()))
    assert (task.state, task.done, task.total, _effects()) == (State.FAILED, 2, 5, ["0", "1"])
    failing.clear()
    task.retry()
    assert (task.reload().done, task.total) == (2, 5)
    live_on(task)
    assert (task.state, _effects()) == (State.SUCCEEDED, ["0", "1", "2", "3", "4"])


def test_an_error_that_the_function_survives_leaves_the_loop_like_break(declare, live_on, hold, kill):
    @declare(title="Write")
    def write(task):
        try:
            for number in task.each(range(5)):
                Post.create(user=task.user, body=f"a{number}")
                if number == 1:
                    raise LookupError
        except LookupError:
            task.stage("On with it")
        for number in task.each(range(2)):
            Post.create(user=task.user, body=f"b{number}")
            kill(number)

    task = live_on(write.launch(make_user()))
    assert (task.state, _effects()) == (State.SUCCEEDED, ["a0", "a1", "b0", "b1"])


def test_without_a_checkpoint_a_run_begins_anew(declare, live_on, kill):
    runs = []

    @declare(title="Count")
    def count(task):
        runs.append((task.done, task.total, task.cursor))
        task.total = 3
        task.cursor = "not saved"
        task.advance()
        kill("in the middle")
        task.advance(2)

    task = live_on(count.launch(make_user()))
    assert runs == [(0, None, None)] * 2
    assert (task.done, task.total) == (3, 3)


def test_a_task_keeps_a_cursor_of_its_own(declare, live_on, kill):
    runs = []

    @declare(title="Count")
    def count(task):
        runs.append((task.done, task.total, task.cursor))
        task.total = 6
        page = task.cursor["page"] if task.cursor else 0
        while page < 3:
            page += 1
            task.advance(2)
            task.cursor = {"page": page}
            task.checkpoint()
            kill(page)

    task = live_on(count.launch(make_user()))
    assert runs == [(0, None, None), (2, 6, {"page": 1}), (4, 6, {"page": 2}), (6, 6, {"page": 3})]
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 6, 6)


@pytest.mark.parametrize(
    ("every_step", "made"),
    [(True, [0, 1, 2, 3, 3, 4]), (False, [0, 1, 2, 3, 0, 1, 2, 3, 4])],
    ids=["every", "not every"],
)
def test_every_step_is_for_effects_that_are_elsewhere(declare, live_on, kill, checkpoints, every_step, made):
    checkpoints(every=60.0)
    elsewhere = []

    @declare(title="Send")
    def send(task):
        for number in task.each(range(5), every_step=every_step):
            elsewhere.append(number)
            if number == 3:
                kill("before that step is done")

    live_on(send.launch(make_user()))
    assert elsewhere == made


def test_the_total_that_a_task_says_itself_stands(declare, live_on, kill):
    totals = []

    @declare(title="Write")
    def write(task):
        task.total = 7
        for number in task.each(range(3)):
            Post.create(user=task.user, body=str(number))
        for number in task.each(iter(range(4))):
            totals.append(task.total)
            if number == 2:
                kill("in the middle")

    task = live_on(write.launch(make_user()))
    assert set(totals) == {7}
    assert (task.done, task.total) == (7, 7)


def test_rows_that_came_and_went_in_between_are_neither_repeated_nor_skipped(declare, live_on, each_step, kill):
    make_posts(make_user(), 6)
    seen = []

    @declare(title="Read")
    def read(task):
        for post in task.each(Post.select(), every_step=True):
            if post.body == "Post 4":
                kill("in the middle")
            seen.append(post.body)

    task = read.launch(make_user())
    with pytest.raises(Killed):
        executor.execute_next()
    Post.delete().where(Post.body.in_(["Post 1", "Post 2", "Post 5"])).execute()
    make_posts(task.user, 1, body="a new one")
    Task.update(lease_until=task.created_at).where(Task.id == task.id).execute()
    assert Task.lost(1).get().rescue()
    live_on(task)
    assert seen == ["Post 1", "Post 2", "Post 3", "Post 4", "Post 6", "a new one"]
    assert (task.done, task.total) == (6, 6)


UNHEARD_OF = {"NUL": "a\0b", "half of a character": "a\ud800b", "no number": float("nan"), "no end": float("-inf")}


@pytest.mark.parametrize("value", UNHEARD_OF.values(), ids=UNHEARD_OF)
def test_a_task_that_returns_what_a_database_cannot_hold_has_ended_all_the_same(declare, run_waiting, value):
    @declare(title="Return")
    def give(task):
        return [value]

    task = give.launch(make_user())
    run_waiting()
    assert task.reload().attempts == 1
    assert (task.state, task.result) == (State.SUCCEEDED, [value]) or (task.state, task.error) == (
        State.FAILED,
        str(UNEXPECTED()),
    )


@pytest.mark.parametrize("words", ["a\0b", "a\udc80b"], ids=["NUL", "half of a character"])
def test_a_task_that_fails_in_words_a_database_cannot_hold_has_failed_all_the_same(declare, run_waiting, words):
    @declare(title="Fail", retries=3)
    def fail(task):
        raise TaskError(words)

    task = fail.launch(make_user())
    run_waiting()
    assert (task.reload().state, task.attempts) == (State.FAILED, 1)
    assert task.error in (str(UNEXPECTED()), words)


def test_counting_the_same_steps_in_each_run_is_no_progress(declare, live_on):
    @declare(title="Count")
    def count(task):
        task.total = task.done + 2
        task.advance()
        task.attach("a.txt", "a")
        task.checkpoint()
        raise Killed

    task = live_on(count.launch(make_user()))
    assert (task.state, task.error, task.rescues) == (State.FAILED, str(DIED_REPEATEDLY()), MOST_RESCUES)


def test_changing_its_own_cursor_in_place_is_progress(declare, live_on):
    @declare(title="Collect")
    def collect(task):
        task.cursor = task.cursor or []
        while len(task.cursor) < 10:
            task.checkpoint()
            task.cursor.append(len(task.cursor))
            task.checkpoint()
            raise Killed

    task = live_on(collect.launch(make_user()))
    assert (task.state, task.rescues, task.cursor["own"]) == (State.SUCCEEDED, 10, list(range(10)))
