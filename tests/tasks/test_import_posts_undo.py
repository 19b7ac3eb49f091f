"""An import that was undone is tried again: all of its posts are there then, each once, or it says why not."""

from datetime import timedelta

import pytest

from tasks import import_posts as module
from tasks.engine import TaskError, Upload
from tasks.engine.models.event import TaskEvent
from tasks.import_posts import import_posts, undo_import
from webapp.dev.factories import make_post
from webapp.lib.times import utcnow
from webapp.models import Post, State, Task, User

pytestmark = pytest.mark.usefixtures("no_heartbeat")
ROWS = 2000


@pytest.fixture
def app(each_database):
    """On both databases."""
    return each_database


@pytest.fixture
def stopped(ann, run_waiting, monkeypatch):
    """An import that ended in the middle."""
    text = "body\n" + "".join(f"post {n}\n" if n % 100 else " \n" for n in range(ROWS))
    task = import_posts.launch(ann.user, file=Upload("posts.csv", text.encode()))
    with monkeypatch.context() as patched:
        patched.setattr(module, "BATCH", ROWS // 8)
        patched.setattr(Post, "write_many", _ending_at(Post.write_many, 4))
        run_waiting()
    assert (task.reload().state, 0 < _number(task) < ROWS / 2) == (State.FAILED, True)
    return task


def _ending_at(call, time: int):
    """A function that ends the task when it is called for that time."""
    calls = []

    def counted(*arguments):
        calls.append(1)
        if len(calls) == time:
            raise TaskError("Stopped in the middle.")
        return call(*arguments)

    return counted


def _number(task: Task) -> int:
    return Post.select().where(Post.task == task).count()


def _press(ann, task: Task, what: str) -> None:
    assert ann.submit(f"/tasks/{task.id}/{what}").status_code == 303


def _undoing() -> Task:
    return Task.select().where(Task.name == "undo_import").order_by(Task.created_at.desc()).get()


def test_an_import_that_was_undone_brings_all_posts_when_it_is_tried_again(ann, stopped, run_waiting):
    mine = make_post(ann.user, "mine")
    for _ in range(2):
        _press(ann, stopped, "undo")
        run_waiting()
        assert (_undoing().state, _number(stopped)) == (State.SUCCEEDED, 0)
        assert _undoing().title == "Undo: Import posts from posts.csv"
        assert _undoing().own_title.arguments["title"] == stopped.own_title
        if stopped.reload().state == State.SUCCEEDED:
            break
        _press(ann, stopped, "retry")
        run_waiting()
        assert (stopped.reload().state, stopped.done, stopped.total) == (State.SUCCEEDED, ROWS, ROWS)
        assert _number(stopped) == ROWS - 20
        said = [event.text for event in stopped.timeline() if event.kind == "log"]
        assert said == ["1,980 posts imported, 20 rows skipped"]
    assert [post.id for post in Post] == [mine.id]


def test_an_import_is_not_tried_again_while_it_is_being_undone(ann, stopped, run_waiting):
    _press(ann, stopped, "undo")
    undoing = _undoing()
    undoing.pause()
    _press(ann, stopped, "retry")
    run_waiting()
    assert (stopped.reload().state, "being undone" in stopped.error) == (State.FAILED, True)
    undoing.resume()
    run_waiting()
    assert (undoing.reload().state, _number(stopped)) == (State.SUCCEEDED, 0)


def test_an_import_that_was_undone_by_half_brings_nothing_twice(ann, stopped, run_waiting, monkeypatch, checkpoints):
    _press(ann, stopped, "undo")
    before = _number(stopped)
    undoing = _undoing()
    with monkeypatch.context() as patched:
        checkpoints(hold=0.0)
        patched.setattr(Post, "delete_instance", _ending_at(Post.delete_instance, 100))
        run_waiting()
    left = _number(stopped)
    assert (undoing.reload().state, 0 < left < before) == (State.FAILED, True)
    _press(ann, stopped, "retry")
    run_waiting()
    assert (stopped.reload().state, _number(stopped)) == (State.FAILED, left)
    assert "only partly undone" in stopped.error
    _press(ann, stopped, "undo")
    run_waiting()
    _press(ann, stopped, "retry")
    run_waiting()
    assert (stopped.reload().state, _number(stopped)) == (State.SUCCEEDED, ROWS - 20)


def test_an_import_that_the_release_before_began_goes_on_where_it_stopped(ann, run_waiting):
    """It counted each row as a step, and as its cursor how many of them were refused."""
    text = "body\n" + "".join(f"post {n}\n" if n % 7 else " \n" for n in range(50))
    task = import_posts.launch(ann.user, file=Upload("posts.csv", text.encode()))
    for number in range(20):
        if number % 7:
            Post.create(user=ann.user, task=task, body=f"post {number}")
    cursor = {"done": 20, "total": 50, "loops": [20], "own": 3, "artifacts": [{}]}
    Task.update(cursor=cursor, done=20, total=50).where(Task.id == task.id).execute()
    run_waiting()
    assert (task.reload().state, task.done, task.total) == (State.SUCCEEDED, 50, 50)
    bodies = [post.body for post in Post.select().where(Post.task == task).order_by(Post.id)]
    assert bodies == [f"post {n}" for n in range(50) if n % 7]
    assert TaskEvent.select().where(TaskEvent.text == "42 posts imported, 8 rows skipped").count() == 1
    assert undo_import.under_way(ann.user, task_id=str(task.id), title="") is None


def test_an_import_that_the_release_before_has_undone_brings_no_half_of_its_posts(ann, run_waiting):
    task = import_posts.launch(ann.user, file=Upload("posts.csv", b"body\n" + b"post\n" * 50))
    cursor = {"done": 20, "total": 50, "loops": [20], "own": None, "artifacts": [{}]}
    Task.update(cursor=cursor, done=20, total=50).where(Task.id == task.id).execute()
    run_waiting()
    assert (task.reload().state, _number(task)) == (State.FAILED, 0)
    assert task.error == "This import was undone. Start a new one with the same file."


# What the import itself says of it


@pytest.fixture
def done(ann, run_waiting) -> Task:
    """An import that has ended well."""
    task = import_posts.launch(ann.user, file=Upload("posts.csv", b"body\n" + b"post\n" * 200))
    run_waiting()
    return task.reload()


def _said_everywhere(ann, task: Task) -> set[str]:
    """How far it is undone, as its alert, its row and its page say."""
    cards = [ann.get(path).one(f"#task-{task.id}") for path in ("/", "/tasks", f"/tasks/{task.id}")]
    return {mark.text if (mark := card.select_one(".words .undone")) else "" for card in cards}


def _lines(ann, task: Task) -> dict[str, str]:
    """The lines of its timeline that lead somewhere, and where."""
    return {line.text: line["href"] for line in ann.get(f"/tasks/{task.id}").page.select(".timeline a")}


def test_an_import_that_was_undone_says_so_wherever_it_stands(ann, done, run_waiting):
    assert _said_everywhere(ann, done) == {""}
    seen = User.get_by_id(ann.user.id).changes
    _press(ann, done, "undo")
    run_waiting()
    assert _said_everywhere(ann, done) == {"Undone"}
    path = f"/tasks/{_undoing().id}"
    assert _lines(ann, done) == {"Undo started by you": path, "Undone by you: 200 posts deleted": path}
    assert User.get_by_id(ann.user.id).changes > seen, "pages that are open show it, too"
    _undoing().remove()
    assert _lines(ann, done) == {}, "nothing leads to what was deleted"
    assert "Undone by you: 200 posts deleted" in ann.get(f"/tasks/{done.id}").words


def test_an_import_that_was_undone_by_half_says_that_and_by_which_task(
    ann, done, run_waiting, monkeypatch, checkpoints
):
    _press(ann, done, "undo")
    checkpoints(hold=0.0)
    with monkeypatch.context() as patched:
        patched.setattr(Post, "delete_instance", _ending_at(Post.delete_instance, 100))
        run_waiting()
    first = _undoing()
    assert (first.state, 0 < _number(done) < 200) == (State.FAILED, True)
    assert _said_everywhere(ann, done) == {"Partly undone"}
    assert _lines(ann, done) == {"Undo started by you": f"/tasks/{first.id}"}
    left = _number(done)
    _press(ann, done, "undo")
    run_waiting()
    assert _said_everywhere(ann, done) == {"Undone"}
    assert f"Undone by you: {left} posts deleted" in _lines(ann, done)


def test_an_undo_that_fails_before_it_has_done_anything_changes_nothing_of_the_import(
    ann, done, run_waiting, monkeypatch
):
    _press(ann, done, "undo")
    with monkeypatch.context() as patched:
        patched.setattr(Post, "delete_instance", _ending_at(Post.delete_instance, 1))
        run_waiting()
    assert (_undoing().state, _number(done)) == (State.FAILED, 200)
    assert _said_everywhere(ann, done) == {""}
    assert _lines(ann, done) == {}


def test_an_undone_import_that_is_tried_again_is_undone_no_more(ann, stopped, run_waiting):
    _press(ann, stopped, "undo")
    run_waiting()
    assert _said_everywhere(ann, stopped) == {"Undone"}
    _press(ann, stopped, "retry")
    assert _said_everywhere(ann, stopped) == {""}
    run_waiting()
    assert (stopped.reload().state, _said_everywhere(ann, stopped)) == (State.SUCCEEDED, {""})


def test_an_import_is_undone_though_the_clock_of_its_worker_was_ahead(ann, done, run_waiting):
    Task.update(finished_at=utcnow() + timedelta(minutes=5)).where(Task.id == done.id).execute()
    _press(ann, done, "undo")
    run_waiting()
    assert _said_everywhere(ann, done) == {"Undone"}
