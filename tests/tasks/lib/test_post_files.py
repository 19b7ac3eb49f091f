"""Files of posts as people have them: in any encoding and layout, broken here and there, and ours there and back."""

import csv
import io
import json
import random
import time
from datetime import datetime, timedelta

import pytest

from tasks.engine import TaskError, Upload
from tasks.export_posts import export_posts
from tasks.import_posts import import_posts
from tasks.lib.decoding import UTF8, Text
from tasks.lib.post_files import BEGINNING, open_posts
from tasks.lib.tables import Table
from webapp.db import database
from webapp.dev.factories import make_post, make_user
from webapp.lib.times import exact_iso
from webapp.models import Artifact, Post, State, Task, User

pytestmark = pytest.mark.usefixtures("no_heartbeat")
NEW_YEAR = datetime(2026, 1, 1)


@pytest.fixture
def bring(app, run_waiting):
    """A function that imports a file; returns the task."""

    def bring(data: str | bytes, name="posts.csv", user: User | None = None) -> Task:
        data = data.encode() if isinstance(data, str) else data
        task = import_posts.launch(user or make_user(), file=Upload(name, data))
        run_waiting()
        return task.reload()

    return bring


def _bodies(task: Task) -> list[str]:
    return [post.body for post in Post.select().where(Post.task == task).order_by(Post.id)]


def _errors(task: Task) -> str:
    [artifact] = Artifact.completed([task])[task]
    return artifact.read().decode()


def _refused(task: Task) -> list[list[str]]:
    return [row[:2] for row in csv.reader(io.StringIO(_errors(task), newline=""))][1:]


def _said(task: Task) -> str:
    [text] = [event.text for event in task.timeline() if event.kind == "log"]
    return text


def _look(ann, data: str | bytes, name="posts.csv") -> str:
    data = data.encode() if isinstance(data, str) else data
    answer = ann.submit(
        "/tasks/new/import_posts/preview", file=(io.BytesIO(data), name), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    return answer.words


# What is too long or not closed

TOO_LONG, NOT_CLOSED = "Too long to read", "opens a cell and is never closed"


@pytest.mark.parametrize(
    ("data", "bodies", "refused"),
    [
        ('body\nok1\n"' + "y" * 131_073 + '\ntail one\ntail two"\nok2\n', ["ok1", "ok2"], {"3": TOO_LONG}),
        ("body\nok1\n" + "y" * 1_200_000 + "\nok2\n", ["ok1", "ok2"], {"3": TOO_LONG}),
        ("body,n\nok1,1\n" + "," * 700_000 + "\nok2,2\n", ["ok1", "ok2"], {"3": TOO_LONG}),
        ('body\nok1\n"' + '""\n' * 200_000 + 'end"\nok2', ["ok1", "ok2"], {"3": TOO_LONG}),
        ('body\nok1\n"open\nok2\nok3\n', ["ok1", "ok2", "ok3"], {"3": NOT_CLOSED}),
        ('body\nok1\n"open\nok2\n"o, k3"\nok4\n', ["ok1", "ok2", "o, k3", "ok4"], {"3": NOT_CLOSED}),
        ('body,timestamp\n"a\nb","open\nok1,\nok2,\n', ["ok1", "ok2"], {"2": NOT_CLOSED}),
        ('body\n"open\n"open\n"open', [], {"2": NOT_CLOSED, "3": NOT_CLOSED, "4": NOT_CLOSED}),
        ('body\n5" disk\n"big" shoes\n"spaced" \n', ['5" disk', "big shoes", "spaced"], {}),
        ('body\n"two\nlines"  \n"and ""three"" of\nthem"', ["two\nlines", 'and "three" of\nthem'], {}),
    ],
)
def test_a_row_without_an_end_is_named_and_nothing_of_it_is_a_post(bring, data, bodies, refused):
    task = bring(data)
    assert _bodies(task) == bodies
    found = dict(_refused(task)) if refused else {}
    assert found.keys() == refused.keys()
    assert all(words in found[number] for number, words in refused.items())
    assert (task.done, task.total) == (len(bodies) + len(refused),) * 2


def test_a_quotation_mark_that_is_not_closed_takes_no_other_row_along(bring):
    task = bring('body,timestamp\nfirst,\n"open,\n' + "".join(f"row {n},2026-01-01\n" for n in range(16_000)))
    assert _said(task) == "16,001 posts imported, 1 row skipped"
    assert Post.select().where(Post.task == task).count() == 16_001


def test_a_table_is_read_as_the_csv_module_writes_it():
    chance = random.Random(7)
    for _ in range(3000):
        rows = [["".join(chance.choices("ab\",;\n '=", k=chance.randrange(6))) for _ in range(3)] for _ in range(3)]
        out = io.StringIO()
        csv.writer(out, delimiter=";", lineterminator=chance.choice(["\n", "\r\n"])).writerows(rows)
        text = Text(Upload("a.csv", out.getvalue().encode()), UTF8)
        assert [record.cells for record in Table(text, ";")] == rows


@pytest.mark.parametrize("chunk", [4, 5, 6, 7])
def test_a_file_is_the_same_however_its_bytes_are_cut(monkeypatch, chunk):
    text = 'body;id\r\n"Grüße ""👋"" \r\n; x";1\r\n"open\r\nlast 名前;3\r\n'
    expected = [(row.number, row.body, row.problem) for row in open_posts(Upload("a.csv", text.encode()))]
    monkeypatch.setattr("tasks.engine.uploads.CHUNK", chunk)
    monkeypatch.setattr("tasks.lib.post_files.BEGINNING", None)
    for encoding in ("utf-8-sig", "utf-16"):
        read = open_posts(Upload("a.csv", text.encode(encoding)))
        assert [(row.number, row.body, row.problem) for row in read] == expected


HOSTILE = {
    "quotation marks": b'body\n"' + b'"' * 2_000_000,
    "cells": b"body\n" + b"," * 2_000_000,
    "none of them closed": b"body\n" + b'"a\n' * 60_000,
    "one not closed, and pairs": b'body\n"a\n' + b'""\n' * 60_000,
    "empty lines": b"\n" * 5_000_000,
    "brackets": b'{"posts": [{"a":' + b"[" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_costs_no_more_than_the_file_is_long(name):
    """The square of these lengths would take hours."""
    begun = time.process_time()
    for most in (None, BEGINNING):
        try:
            list(open_posts(Upload("posts.csv", HOSTILE[name]), most))
        except TaskError:
            assert name == "brackets"
    assert time.process_time() - begun < 30


def test_a_look_at_a_long_file_reads_its_beginning_only(ann, monkeypatch):
    monkeypatch.setattr("tasks.import_posts.BEGINNING", 1)
    rows = "body,timestamp\n" + "".join(f"{'x' * 5000},\n" for _ in range(50)) + '"cut\nhere'
    assert "In the first 50 rows: 0 posts ready to import, 50 rows have errors." in _look(
        ann, rows + "z" * 150_000 + '",'
    )


def test_no_row_is_read_while_posts_are_being_written(bring, monkeypatch):
    """On SQLite, nobody else could write meanwhile."""
    rows, seen = Table.__iter__, []

    def watched(table):
        for record in rows(table):
            seen.append(database.in_transaction())
            yield record

    monkeypatch.setattr(Table, "__iter__", watched)
    task = bring("body\n" + "".join(f"post {n}\n" if n % 9 else " \n" for n in range(2000)))
    assert (task.state, task.done) == (State.SUCCEEDED, 2000)
    assert len(seen) > 4000
    assert not any(seen)


# How it is written


@pytest.mark.parametrize("separator", ",;\t|")
@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encoding_and_separator_are_found_and_said(encoding, label, separator):
    text = separator.join(["body", "timestamp"]) + "\r\n" + separator.join(["Größe – “é”", "2026-01-01"]) + "\r\n"
    posts = open_posts(Upload("posts.csv", text.encode(encoding)))
    assert [(row.body, row.created_at, row.problem) for row in posts] == [("Größe – “é”", NEW_YEAR, "")]
    names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
    assert posts.notes == [f"Read as {label}, with columns separated by {names[separator]}."]


@pytest.mark.parametrize(
    ("text", "rows", "notes"),
    [
        ("sep=;\nbody;timestamp\na,b;2026-01-01", [(2, "a,b", NEW_YEAR)], "by semicolons"),
        ('"sep=|"\r\na|1\r\n', [(1, "a", None)], "the first column is used for the posts"),
        ("\n \n,,\nbody,id,likes\na,1,2\n", [(5, "a", None)], "Ignored: id, likes."),
        ("id,Body\n1,a\n", [(2, "a", None)], "Ignored: id."),
        ("date,text\n1.1.,a\n", [(2, "a", None)], "The column text is used for the posts."),
        ("hello, world\ngood bye\n", [(1, "hello, world", None), (2, "good bye", None)], "one post per row"),
        ("a,2026-01-01\nb,\n", [(1, "a", NEW_YEAR), (2, "b", None)], "and the second for their times"),
        ("a|x\nb|y\n", [(1, "a", None), (2, "b", None)], "Ignored: column 2."),
    ],
)
def test_a_layout_is_found_and_said(ann, text, rows, notes):
    posts = open_posts(Upload("posts.csv", text.encode()))
    assert [(row.number, row.body, row.created_at) for row in posts] == rows
    assert notes in " ".join(posts.notes)
    assert notes in _look(ann, text)


@pytest.mark.parametrize("mark", ["é", ""], ids=["among others", "alone"])
def test_a_byte_that_is_no_character_is_named_by_its_row_and_the_others_are_imported(bring, mark):
    rows = [f"post {n} {mark}\n".encode() for n in range(1100)]
    rows[999] = b"bad \xff\x81 here\n"  # neither UTF-8 nor Windows-1252
    task = bring(b"body\n" + b"".join(rows))
    assert _said(task) == "1,099 posts imported, 1 row skipped"
    [[number, reason]] = _refused(task)
    assert (number, "can’t be read as" in reason) == ("1001", True)


@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\u115f", "\u200b\ufeff", "\u00ad"])
def test_a_post_that_looks_empty_is_none(bring, blank):
    assert _refused(bring(f"body\n{blank}\nseen\n")) == [["2", "The body is empty."]]


# JSON


def test_posts_of_microblog_are_imported(bring):
    posts = [{"body": f"post {n} “é”", "timestamp": f"2026-01-01T00:00:0{n}.5000{n}1Z"} for n in range(5)]
    task = bring(json.dumps({"posts": posts}, indent=4), "posts.json")
    assert [exact_iso(post.created_at) for post in task.posts] == [post["timestamp"] for post in posts]
    assert _bodies(task) == [post["body"] for post in posts]


def test_what_is_wrong_in_json_is_named_and_the_others_are_imported(ann, bring):
    long = {"body": "x" * 140_000}
    items = [{"body": "a", "likes": [1, {"2": "]"}]}, {"body": "\ud83d"}, 5, {"text": "b"}, long, {"body": '}\\" ]'}]
    text = json.dumps({"posts": items, "more": []})
    task = bring(text, "posts.json")
    assert _bodies(task) == ["a", '}\\" ]']
    assert [number for number, _ in _refused(task)] == ["2", "3", "4", "5"]
    assert (task.done, task.total) == (6, 6)
    assert "Ignored: likes." in _look(ann, text, "posts.json")


def test_a_post_longer_than_what_is_looked_at_is_named_in_json_too(bring):
    task = bring(json.dumps([{"body": "x" * 1_200_000}, {"body": "a"}]), "posts.json")
    assert (_bodies(task), [number for number, _ in _refused(task)]) == (["a"], ["1"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"posts": [{"body": "a"}, {"body": "b"', "ends in the middle of post 2"),
        ('{"posts": [{"body": "a"}, {"body": b}]}', "Post 2 in posts.json is not valid JSON"),
        ('{"posts": [' + '{"body": "a"}, ' * 1500 + "]", "Post 1,501 in posts.json is not valid JSON"),
        ('{"users": []}', "does not begin like a file of posts"),
        ("body\nhello\n", "does not begin like a file of posts"),
        ('{"posts": []}', "contains no posts"),
    ],
)
def test_broken_json_is_refused_in_words_before_anything_is_imported(bring, text, words):
    task = bring(text, "posts.json")
    assert (task.state, words in task.error) == (State.FAILED, True)
    assert not Post.select().exists()


# There and back

TEXTS = [
    "=1+1",
    "'=1+1",
    '"=1',
    "''+1",
    "'",
    "''",
    "'quoted'",
    "-",
    "@ann",
    "＝1",
    "plain",
    "a\nb",
    'a "b"; c, d',
    "\\n",
    "é👋",
]


@pytest.mark.parametrize("format", ["csv", "json"])
def test_what_is_exported_imported_and_exported_is_the_same(bring, run_waiting, format):
    def exported(user: User) -> bytes:
        task = export_posts.launch(user, format=format)
        run_waiting()
        [artifact] = Artifact.completed([task])[task]
        return artifact.read()

    user, another = make_user(), make_user()
    for number, text in enumerate(TEXTS):
        make_post(user, text, created_at=NEW_YEAR + timedelta(microseconds=number * 333_333))
    task = bring(exported(user), f"posts.{format}", another)
    assert _bodies(task) == TEXTS
    assert [post.created_at for post in Post.by(another)] == [post.created_at for post in Post.by(user)]
    assert exported(another) == exported(user)
    assert b"00:00:00.333333Z" in exported(user)


def test_what_was_refused_is_corrected_and_given_back(ann, bring):
    user = make_user()
    wrong = (
        f"id,body,timestamp\n1,good,\n2,=1+1,=TODAY()\n3,{'x' * 501},2026-01-01\n"
        "4,one,2026-01-01,more\n5,'-,2099-01-01\n"
    )
    task = bring(wrong, user=user)
    [head, *rows] = csv.reader(io.StringIO(_errors(task), newline=""))
    assert head == ["row", "reason", "id", "body", "timestamp"]
    assert rows[0][2:] == ["2", "'=1+1", "'=TODAY()"]
    assert rows[2][2:] == ["4", "one", "2026-01-01", "more"]
    again = bring(_errors(task), "errors.csv", user)
    assert (again.state, len(_refused(again))) == (State.FAILED, 4), "as long as nothing is corrected"
    assert _errors(again).splitlines()[0] == "row,reason,id,body,timestamp"
    corrected = _errors(task).replace("'=TODAY()", "2026-01-01").replace("x" * 501, "short").replace(",more", "")
    back = bring(corrected.replace("2099", "2020"), "errors.csv", user)
    assert _bodies(back) == ["-", "=1+1", "short", "one"], "the oldest is written first"
    assert "Ignored: row, reason, id." in _look(ann, corrected)
