"""The import: every good row a post, once; every bad one named; and all of it taken back if its owner likes."""

import csv
import io
import time
import tracemalloc
from datetime import datetime, timedelta

import pytest

from tasks import import_posts as module
from tasks.engine import InvalidArguments, Upload
from tasks.import_posts import import_posts, undo_import
from tasks.lib.post_files import PostTable, open_posts
from tests.tasks.conftest import Killed
from webapp.dev.factories import make_post, make_posts, make_user
from webapp.lib.times import iso, utcnow
from webapp.models import Artifact, Post, State, Task, User

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(each_database):
    """On both databases."""
    return each_database


@pytest.fixture
def bring(run_waiting):
    """A function that imports a file; returns the task."""

    def bring(text: str | bytes, user: User | None = None, name="posts.csv") -> Task:
        data = text.encode() if isinstance(text, str) else text
        task = import_posts.launch(user or make_user(), file=Upload(name, data))
        run_waiting()
        return task.reload()

    return bring


def _posts(task: Task) -> list[tuple[str, datetime]]:
    return [(post.body, post.created_at) for post in Post.select().where(Post.task == task).order_by(Post.id)]


def _errors(task: Task) -> list[list[str]]:
    [artifact] = Artifact.completed([task])[task]
    assert artifact.name == "errors.csv"
    head, *rows = csv.reader(io.StringIO(artifact.read().decode(), newline=""))
    assert head[:2] == ["row", "reason"]
    return [row[:2] for row in rows]


def _said(task: Task) -> list[str]:
    return [event.text for event in task.timeline() if event.kind == "log"]


# What is read


def test_each_row_is_a_post_of_who_started_it(bring):
    user = make_user()
    task = bring("body,timestamp\nfirst,2026-01-01T00:00:00Z\nsecond,2026-01-02T12:30:00Z\n", user)
    assert _posts(task) == [("first", datetime(2026, 1, 1)), ("second", datetime(2026, 1, 2, 12, 30))]
    assert {post.user for post in Post} == {user}
    assert (task.state, task.done, task.total, task.title) == (State.SUCCEEDED, 2, 2, "Import posts from posts.csv")
    assert _said(task) == ["2 posts imported"]
    assert Artifact.completed([task])[task] == []


@pytest.mark.parametrize(
    "text",
    [
        "body,timestamp\r\nhello,2026-01-01T00:00:00Z\r\n",
        "\ufeffbody,timestamp\nhello,2026-01-01T00:00:00Z",
        "body;timestamp\nhello;2026-01-01T00:00:00Z\n",
        "body\ttimestamp\nhello\t2026-01-01T00:00:00Z\n",
        '"Body" , Timestamp\n"hello", 2026-01-01 \n',
        "timestamp,body\n2026-01-01T00:00:00,hello\n",
        "id,body,timestamp,likes\n7,hello,2026-01-01T01:00:00+01:00,3\n",
        "body,timestamp\n\n\nhello,2025-12-31T19:00:00-05:00\n\n",
        "body,timestamp\r hello ,20260101T000000Z\r",
    ],
)
def test_a_file_is_read_as_spreadsheets_and_people_write_it(bring, text):
    assert _posts(bring(text)) == [("hello", datetime(2026, 1, 1))]


@pytest.mark.parametrize("text", ["body\nhello\n", "body,timestamp\nhello,\n", "body,timestamp\nhello,  \n"])
def test_a_post_without_a_time_is_of_now(bring, text):
    before = utcnow()
    [(body, moment)] = _posts(bring(text))
    assert body == "hello"
    assert before <= moment <= utcnow()


@pytest.mark.parametrize(
    ("cell", "body"),
    [
        ('"two\nlines"', "two\nlines"),
        ('"two\r\nlines"', "two\nlines"),
        ('"a ""quoted"", text"', 'a "quoted", text'),
        ("'=1+1", "=1+1"),
        ("''=1+1", "'=1+1"),
        ("'hello'", "'hello'"),
        ("Grüße 👋 \x00", "Grüße 👋"),
        ("x" * 500, "x" * 500),
    ],
)
def test_a_body_comes_as_it_was_meant(bring, cell, body):
    task = bring(f"body,timestamp\n{cell},\n")
    assert [post for post, _ in _posts(task)] == [body]


# What is wrong


def test_a_wrong_row_is_named_and_does_not_stop_the_others(bring):
    later = iso(utcnow() + timedelta(days=1))
    task = bring(
        "body,timestamp\n"
        "good,2026-01-01\n"
        ",2026-01-01\n"
        '" \n ",\n'
        f"{'x' * 501},\n"
        "bad time,yesterday\n"
        "no such day,2026-02-30T00:00:00Z\n"
        "before all time,0001-01-01T00:00:00+23:00\n"
        f"to come,{later}\n"
        "one\n"
        "one,2026-01-01,three\n"
        f"{'y' * 140_000},\n"
        '"of two\nlines",2026-01-02\n'
        "last,"
    )
    assert [body for body, _ in _posts(task)] == ["good", "of two\nlines", "last"]
    assert _errors(task) == [
        ["3", "The body is empty."],
        ["4", "The body is empty."],
        ["5", "The body has 501 characters; the limit is 500."],
        ["6", "“yesterday” is not a timestamp like 2026-11-21T09:30:00Z."],
        ["7", "“2026-02-30T00:00:00Z” is not a timestamp like 2026-11-21T09:30:00Z."],
        ["8", "“0001-01-01T00:00:00+23:00” is not a timestamp like 2026-11-21T09:30:00Z."],
        ["9", "The timestamp is in the future."],
        ["10", "1 column instead of 2."],
        ["11", "3 columns instead of 2."],
        ["12", "Too long to read; the limit is 131,072 characters."],
    ]
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 13, 13)
    assert _said(task) == ["3 posts imported, 10 rows skipped"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"title,timestamp\nhello,\n", "needs a header row that names its columns: body"),
        (b"\n", "posts.csv contains no posts."),
        (b"body,timestamp\n\n", "posts.csv contains no posts."),
        (b"sep=;\n", "posts.csv contains no posts."),
        (b"PK\3\4" + bytes(range(256)) * 9, "posts.csv isn’t a text file"),
        (b"body,timestamp\n,\n", "See errors.csv for the reasons"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_fails_in_words(bring, data, words):
    task = bring(data)
    assert task.state == State.FAILED
    assert words in task.error
    assert not Post.select().exists()
    if "errors.csv" in words:
        assert _errors(task) == [["2", "The body is empty."]]


def test_only_a_file_of_a_table_is_taken(app):
    with pytest.raises(InvalidArguments, match=r"Use .csv, .tsv, .txt or .json"):
        import_posts.launch(make_user(), file=Upload("posts.xlsx", b"PK"))


# Runs that are cut off


@pytest.mark.parametrize("hold", [0.0, 60.0], ids=["a checkpoint after each step", "one at the end"])
@pytest.mark.parametrize("at", [0, 1, 4, 9])
def test_no_row_is_lost_or_imported_twice_when_a_run_is_killed(app, live_on, monkeypatch, hold, at, checkpoints):
    checkpoints(hold=hold, every=hold)
    monkeypatch.setattr(module, "BATCH", 3)
    read, killed = PostTable.__iter__, []

    def rows(posts):
        for n, row in enumerate(read(posts)):
            yield row
            if n == at and len(killed) < 3:  # once while it counts, and then while it writes
                killed.append(n)
                raise Killed

    monkeypatch.setattr(PostTable, "__iter__", rows)
    lines = [f"post {n},2026-01-{n + 1:02}" if n % 3 else "," for n in range(10)]
    text = "\n".join(["body,timestamp", *lines])
    task = live_on(import_posts.launch(make_user(), file=Upload("posts.csv", text.encode())))
    assert len(killed) == 3
    assert [body for body, _ in _posts(task)] == [f"post {n}" for n in range(10) if n % 3]
    assert _errors(task) == [[str(n + 2), "The body is empty."] for n in range(10) if n % 3 == 0]
    assert _said(task) == ["6 posts imported, 4 rows skipped"]
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 10, 10)


def test_a_canceled_import_goes_on_where_it_stopped(app, run_waiting, monkeypatch):
    text = "body\n" + "".join(f"post {n}\n" for n in range(50))
    task = import_posts.launch(make_user(), file=Upload("posts.csv", text.encode()))
    monkeypatch.setattr(module, "BATCH", 7)
    read = PostTable.__iter__
    asked = []

    def rows(posts):
        for n, row in enumerate(read(posts)):
            if n == 20 and asked in ([], [1]):
                asked.append(1)
                if len(asked) == 2:
                    raise module.TaskError("Stopped in the middle.")
            yield row

    monkeypatch.setattr(PostTable, "__iter__", rows)
    run_waiting()
    assert task.reload().state == State.FAILED
    monkeypatch.setattr(PostTable, "__iter__", read)
    task.retry()
    run_waiting()
    assert (task.reload().state, task.done, task.total) == (State.SUCCEEDED, 50, 50)
    assert sorted(body for body, _ in _posts(task)) == sorted(f"post {n}" for n in range(50))


# A long file


def test_ten_thousand_rows_are_imported_within_seconds_and_few_queries(app, run_waiting, queries):
    rows = (f"Post number {n},2026-01-01T00:00:{n % 60:02}Z" if n % 5000 else "," for n in range(10_000))
    data = "\n".join(["body,timestamp", *rows]).encode()
    task = import_posts.launch(make_user(), file=Upload("posts.csv", data))
    begun = time.process_time()
    with queries() as asked:
        run_waiting()
    assert time.process_time() - begun < 15
    assert task.reload().state == State.SUCCEEDED
    assert _said(task) == ["9,998 posts imported, 2 rows skipped"]
    assert Post.select().where(Post.task == task).count() == 9_998
    assert asked.count < 10_000 // module.BATCH * 8 + 60, "some for each batch"


def test_reading_a_long_file_needs_little_memory(app):
    data = b"body,timestamp\n" + b"some words,2026-01-01T00:00:00Z\n" * 30_000
    file = Upload("posts.csv", data)
    tracemalloc.start()
    assert sum(1 for _ in open_posts(file)) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


# A look before


def _look(ann, text: str):
    file = (io.BytesIO(text.encode()), "posts.csv")
    return ann.submit("/tasks/new/import_posts/preview", file=file, headers={"HX-Request": "true"})


def test_a_preview_shows_the_first_rows_and_the_first_errors(ann):
    rows = [f"post {n},2026-01-0{n}T00:00:00Z" for n in range(1, 8)]
    answer = _look(ann, "\n".join(["body,timestamp", rows[0], ",", "<b>bold</b>,", *rows[1:], "x,y", "z"]))
    table = [[cell.text for cell in row.select("th, td")] for row in answer.page.select("tr")]
    assert table == [
        ["Row", "Body", "Timestamp"],
        ["2", "post 1", "2026-01-01T00:00:00Z"],
        ["4", "<b>bold</b>", "now"],
        ["5", "post 2", "2026-01-02T00:00:00Z"],
        ["6", "post 3", "2026-01-03T00:00:00Z"],
        ["7", "post 4", "2026-01-04T00:00:00Z"],
    ]
    assert "8 posts ready to import, 3 rows have errors." in answer.words
    assert "Row 3: The body is empty." in answer.words
    assert "Row 12: 1 column instead of 2." in answer.words
    assert not Task.select().exists()
    assert not Post.select().exists()


def test_a_preview_of_json_counts_items_and_no_rows(ann):
    posts = b'{"posts": [{"body": "one", "timestamp": ""}, {"body": 2}, {"body": "three"}]}'
    file = (io.BytesIO(posts), "posts.json")
    answer = ann.submit("/tasks/new/import_posts/preview", file=file, headers={"HX-Request": "true"})
    assert answer.page.select_one("th").text == "Item"
    assert "2 posts ready to import, 1 item has errors." in answer.words
    assert "Item 2: Not a post" in answer.words
    assert "row" not in answer.words.lower()


def test_a_preview_of_a_long_file_looks_at_its_beginning(ann):
    answer = _look(ann, "body\n" + "hello\n" * 3000)
    assert "In the first 1,000 rows: 1,000 posts ready to import." in answer.words


def test_a_preview_says_why_there_is_nothing_to_see(ann):
    assert "needs a header row" in _look(ann, "title,timestamp\nhello,\n").words
    assert "contains no posts" in _look(ann, "body\n").words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes(range(256)) * 9, "isn’t a text file"),
        (b"body\n", "contains no posts"),
        (b"title,timestamp\nhello,\n", "needs a header row"),
    ],
)
def test_a_file_that_cannot_be_imported_at_all_is_told_at_its_field_and_starts_nothing(ann, data, words):
    answer = ann.submit("/tasks/new/import_posts", file=(io.BytesIO(data), "posts.csv"))
    assert (answer.status_code, words in answer.one("#file-error").text) == (422, True)
    assert not Task.select().exists()


# And back


def test_an_import_can_be_undone_and_nothing_else_goes(ann, bring, run_waiting):
    mine, theirs = make_post(ann.user, "mine"), make_post(make_user(), "theirs")
    kept = bring("body\nkept\n", ann.user)
    task = bring("body\nwrong\nwrong too\n", ann.user)
    button = ann.get(f"/tasks/{task.id}").one("button[formaction$=undo]")
    assert button.text == "Undo this import"
    ann.submit(button["formaction"])
    undoing = Task.get(Task.name == "undo_import")
    assert undoing.title == "Undo: Import posts from posts.csv"
    run_waiting()
    assert (undoing.reload().state, undoing.done, undoing.total) == (State.SUCCEEDED, 2, 2)
    assert "2 posts deleted" in _said(undoing)
    assert {post.id for post in Post} == {mine.id, theirs.id, *(post.id for post in kept.posts)}
    assert not ann.get(f"/tasks/{task.id}").page.select("button[formaction$=undo]")


def test_nobody_undoes_what_somebody_else_imported(bring, run_waiting):
    task = bring("body\nhello\n")
    undo_import.launch(make_user(), task_id=str(task.id), title="x")
    run_waiting()
    assert Post.select().count() == 1


def test_an_import_that_was_started_again_is_not_undone_meanwhile(bring, run_waiting):
    task = bring("body\nhello\n")
    undoing = undo_import.launch(task.user, task_id=str(task.id), title="x")
    Task.update(state=State.PAUSED, finished_at=None).where(Task.id == task.id).execute()
    run_waiting()
    assert (undoing.reload().state, Post.select().count()) == (State.FAILED, 1)
    assert "running again" in undoing.error


def test_undoing_goes_on_where_it_was_killed(app, bring, live_on, monkeypatch):
    task = bring("body\n" + "hello\n" * 20)
    delete, killed = Post.delete_instance, []

    def dying(post):
        delete(post)
        if len(killed) < 3 and Post.select().count() % 7 == 5:
            killed.append(post.id)
            raise Killed

    monkeypatch.setattr(Post, "delete_instance", dying)
    undoing = live_on(undo_import.launch(task.user, task_id=str(task.id), title="x"))
    assert killed
    assert (undoing.state, undoing.done, Post.select().count()) == (State.SUCCEEDED, 20, 0)


def test_posts_stay_when_the_task_that_wrote_them_is_deleted(bring):
    task = bring("body\nhello\n")
    task.remove()
    [post] = Post.select()
    assert (post.body, post.task_id) == ("hello", None)


def test_what_people_write_themselves_is_of_no_task(app):
    make_posts(make_user(), 2)
    assert {post.task_id for post in Post} == {None}


def test_a_batch_is_one_insert_in_the_order_of_its_times(app, run_waiting, queries):
    rows = "".join(f"post {n},2026-01-01T00:{59 - n:02}:00Z\n" for n in range(60))
    task = import_posts.launch(make_user(), file=Upload("posts.csv", f"body,timestamp\n{rows}".encode()))
    with queries() as asked:
        run_waiting()
    assert sum('INSERT INTO "posts"' in query.msg[0] for query in asked.get_queries()) == 1
    assert [body for body, _ in _posts(task)] == [f"post {n}" for n in reversed(range(60))]
