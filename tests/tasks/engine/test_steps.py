"""What a step writes: when others see it, what it locks, what can be caught in it, and what a lost run leaves."""

import pytest
from peewee import IntegrityError

from tasks.engine import executor, group, run
from tasks.engine.config import config
from tasks.engine.stop_flag import LeaseLost
from tests.racing import elsewhere
from webapp.db import database
from webapp.dev.factories import make_post, make_task, make_user
from webapp.models import (
    AlreadyRunning,
    Artifact,
    IllegalTransition,
    Message,
    Notification,
    Post,
    State,
    Task,
    User,
    UsernameTaken,
)

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(each_database):
    """All of this holds on both databases."""
    return each_database


@pytest.fixture
def execute(declare, run_waiting):
    """A function that starts a task function and carries out all that waits; returns the task."""

    def execute(body) -> Task:
        task = declare(title="A task of a test")(body).launch(make_user())
        run_waiting()
        return task.reload()

    return execute


@pytest.fixture
def each_step(checkpoints):
    checkpoints(hold=0.0)


@pytest.fixture
def at_the_end(checkpoints):
    """One checkpoint, however slow the machine is."""
    checkpoints(hold=60.0, every=60.0)


def _posts() -> list[str]:
    return [post.body for post in Post.select().order_by(Post.id)]


def _write(user: User, body: str) -> None:
    Post.create(user=user, body=body)


def test_reading_begins_no_transaction(execute):
    make_post()
    other = make_user()

    def read(task):
        for _ in task.each(["once"]):
            assert len(_posts()) == 1
            assert not database.in_transaction()
            elsewhere(lambda: _write(other, "written meanwhile"))
            assert not database.in_transaction()

    assert execute(read).state == State.SUCCEEDED
    assert _posts()[-1] == "written meanwhile"


def test_writes_of_a_step_are_seen_after_its_checkpoint_and_block_no_reader(execute, each_step):
    seen = []

    def write(task):
        for number in task.each(range(3)):
            seen.append(elsewhere(_posts))
            _write(task.user, str(number))
            assert database.in_transaction()
            seen.append(elsewhere(_posts))

    execute(write)
    assert seen == [[], [], ["0"], ["0"], ["0", "1"], ["0", "1"]]


def test_steps_that_write_share_a_transaction_for_a_while(execute, queries, at_the_end):
    def write(task):
        for number in task.each(range(200)):
            _write(task.user, str(number))

    with queries() as seen:
        execute(write)
    assert seen.count < 200 + 60
    assert len(_posts()) == 200


def test_a_step_that_takes_long_leaves_no_lock_to_the_next(execute):
    locked = []

    def write_slowly(task):
        for number in task.each(range(3)):
            locked.append(database.in_transaction())
            task.wait(2 * config().hold_at_most)
            _write(task.user, str(number))

    execute(write_slowly)
    assert locked == [False, False, False]


def test_the_shared_counter_is_locked_last_even_by_a_step_that_begins_with_it(execute, queries, at_the_end):
    told = []

    def write(task):
        before = len(seen.get_queries())
        for number in task.each(range(2)):
            User.count_change(task.user.id)
            Post.create(user=task.user, body=str(number))
            assert database.in_transaction()
        told.extend(str(query.msg[0]) for query in seen.get_queries()[before:])

    with queries() as seen:
        assert execute(write).state == State.SUCCEEDED
    counted = [number for number, sql in enumerate(told) if "change_counts" in sql]
    posted = [number for number, sql in enumerate(told) if sql.startswith('INSERT INTO "posts"')]
    assert len(posted) == 2
    assert min(counted) > max(posted)


def test_a_write_outside_of_each_is_committed_at_once(execute):
    seen = []

    def write(task):
        _write(task.user, "before")
        seen.append(elsewhere(_posts))
        for _ in task.each("a"):
            pass
        _write(task.user, "after")
        seen.append(elsewhere(_posts))
        raise LookupError

    execute(write)
    assert seen == [["before"], ["before", "after"]]
    assert _posts() == ["before", "after"]


def test_a_transaction_in_a_step_is_a_part_of_it(execute, at_the_end):
    def write(task):
        for number in task.each(range(3)):
            with database.atomic():
                _write(task.user, f"kept {number}")
                assert elsewhere(_posts) == []
            with database.atomic() as inner:
                _write(task.user, "taken back")
                inner.rollback()

    assert execute(write).state == State.SUCCEEDED
    assert _posts() == ["kept 0", "kept 1", "kept 2"]


def test_a_refused_write_in_a_transaction_of_its_own_can_be_survived(execute):
    taken = make_user("ann")

    def register_everybody(task):
        for name in task.each(["bob", "ann", "eve"]):
            try:
                with database.atomic():
                    make_user(name)
            except IntegrityError:
                task.log(f"{name} is taken")

    task = execute(register_everybody)
    assert (task.state, task.done) == (State.SUCCEEDED, 3)
    assert [user.username for user in User.select().where(User.id > taken.id, User.id != task.user_id)] == [
        "bob", "eve",
    ]  # fmt: skip
    assert "ann is taken" in [event.text for event in task.timeline()]


def test_a_task_that_a_step_starts_is_started_with_the_step_or_not_at_all(execute, declare, checkpoints):
    checkpoints(hold=60.0)  # on a slow machine, too, all three steps are in one transaction

    @declare(title="Follow {number}")
    def follow(task, number: int):
        pass

    def start_others(task):
        for number in task.each(range(3)):
            follow.launch(task.user, number=number)
            if number == 2:
                raise LookupError

    def start_one(task):
        for number in task.each(range(1)):
            follow.launch(task.user, number=number)

    assert execute(start_others).state == State.FAILED
    assert not Task.select().where(Task.name == "follow").exists()
    execute(start_one)
    assert Task.get(Task.name == "follow").state == State.SUCCEEDED


def test_a_loop_in_a_loop_is_refused_in_words(app):
    steps = run.Run(make_task(State.IN_PROGRESS))
    for _ in steps.each("ab"):
        with pytest.raises(RuntimeError, match="only one loop counts steps"):
            next(steps.each("cd"))
    assert list(steps.each("ef")) == ["e", "f"], "one after the other is fine"
    assert steps.done == 4


# A run that has lost its task


def _lose(task) -> None:
    """Another run takes the task."""
    elsewhere(lambda: Task.update(fencing_token="another run").where(Task.id == task.id).execute())


WRITES = {
    "a row": lambda task: _write(task.user, "too late"),
    "a transaction": lambda task: database.atomic().__enter__(),
    "an update": lambda task: User.update(about="too late").execute(),
    "a line in the timeline": lambda task: task.log("too late"),
    "an artifact": lambda task: task.attach("note", text="too late"),
    "a checkpoint": lambda task: task.checkpoint(),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_run_that_lost_its_task_can_write_nothing_in_a_step(execute, what):
    raised = []

    def lose(task):
        for _ in task.each("abc"):
            _lose(task)
            try:
                WRITES[what](task)
            except BaseException as error:
                raised.append(type(error))
                raise

    task = execute(lose)
    assert raised == [LeaseLost]
    assert (task.state, task.fencing_token) == (State.IN_PROGRESS, "another run")
    assert [event.kind for event in task.timeline()] == ["launched", "started"]
    assert not Post.select().exists()
    assert not Artifact.select().exists()
    assert not User.select().where(User.about != "").exists()


def test_nobody_takes_a_task_in_the_middle_of_a_step_that_has_written(execute, each_step):
    outcomes = []

    def write(task):
        for number in task.each(range(2)):
            Task.update(lease_until=task._task.created_at).where(Task.id == task.id).execute()
            outcomes.append(elsewhere(lambda: [lost.id for lost in Task.lost(10)]))
            _write(task.user, str(number))

    task = execute(write)
    assert task.state == State.SUCCEEDED
    assert outcomes == [[], []], "its lease is renewed with its first write"


def test_a_run_that_lost_its_task_in_a_loop_that_it_left_leaves_nothing_either(execute):
    def lose(task):
        for _ in task.each("abc"):
            _lose(task)
            break
        _write(task.user, "not fenced: outside of each")
        for _ in task.each("abc"):
            _write(task.user, "too late")

    task = execute(lose)
    assert task.state == State.IN_PROGRESS
    assert _posts() == ["not fenced: outside of each"]


def test_an_interrupted_process_leaves_a_task_that_waits_with_what_it_did(execute, each_step, live_on):
    runs = []

    def be_interrupted(task):
        for number in task.each(range(3)):
            _write(task.user, str(number))
            if number == 1 and not runs:
                runs.append(number)
                raise KeyboardInterrupt

    task = execute(be_interrupted)
    assert task.state == State.SUCCEEDED
    assert _posts() == ["0", "1", "2"]
    assert task.timeline()[-2].text == "Continued by a worker after step 1"
    assert not executor.execute_next()


def test_a_step_goes_on_after_a_message_that_could_not_be_sent_and_nothing_of_that_stands(declare, run_waiting):
    me, ann, bea = make_user("me"), make_user("ann"), make_user("bea")

    @declare(title="Write")
    def write(task):
        for body in task.each(["one", None, "two"]):
            Post.create(user=me, body="before")
            try:
                Message.send(me, ann if body else bea, body)
            except IntegrityError:
                Post.create(user=me, body="it had no body")

    task = write.launch(me)
    run_waiting()
    assert task.reload().state == State.SUCCEEDED
    assert [message.body for message in Message.select().order_by(Message.id)] == ["one", "two"]
    assert Post.select().count() == 4
    assert (Notification.is_any_unread(ann), Notification.is_any_unread(bea)) == (True, False)


def test_a_step_goes_on_after_a_move_that_could_not_be_and_nothing_of_that_stands(declare, run_waiting):
    me = make_user("me")
    alone = declare(title="Alone", one_at_a_time=True)(_nothing)
    other = declare(title="Other")(_other)
    alone.launch(me)
    done = make_task(State.SUCCEEDED, me)
    tried = [
        lambda: alone.launch(me), lambda: group(other.s(), alone.s()).launch(me), done.cancel, done.pause,
        lambda: User.register("ME"),
    ]  # fmt: skip
    before = Task.select().count(), User.select().count()

    @declare(title="Try", priority=1)
    def attempt(task):
        for act in task.each(range(len(tried))):
            with pytest.raises((AlreadyRunning, IllegalTransition, UsernameTaken)):
                tried[act]()
            Post.create(user=me, body="tried")

    task = attempt.launch(me)
    run_waiting()
    assert (task.reload().state, Post.select().count()) == (State.SUCCEEDED, len(tried))
    assert (Task.select().count(), User.select().count()) == (before[0] + 1, before[1])


def _nothing(task):
    pass


def _other(task):
    pass
