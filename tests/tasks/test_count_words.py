"""Counting words: the most frequent first, in little memory, and from the beginning when a run was cut off."""

import csv
import io
import time
import tracemalloc

import pytest

from tasks import count_words as module
from tasks.count_words import count_words
from tasks.engine import Upload
from tasks.engine.models.artifact import CHUNK
from tests.tasks.conftest import Killed
from webapp.dev.factories import make_user
from webapp.models import Artifact, State, Task, TaskEvent


@pytest.fixture
def count(run_tasks):
    """A function that has the words of a text counted; returns the task."""

    def count(text: str | bytes, name="book.txt") -> Task:
        data = text.encode() if isinstance(text, str) else text
        task = count_words.launch(make_user(), file=Upload(name, data))
        run_tasks()
        return task.reload()

    return count


def _rows(task: Task) -> list[tuple[str, int]]:
    [artifact] = Artifact.completed([task])[task]
    assert (artifact.name, artifact.content_type) == ("words.csv", "text/csv")
    head, *rows = csv.reader(io.StringIO(artifact.read().decode(), newline=""))
    assert head == ["word", "count"]
    return [(word, int(number)) for word, number in rows]


def test_words_are_counted_the_most_frequent_first_and_then_by_the_alphabet(count):
    task = count("The pear, the apple; THE end.\nPear? Apple!\n")
    assert _rows(task) == [("the", 3), ("apple", 2), ("pear", 2), ("end", 1)]
    assert (task.state, task.title) == (State.SUCCEEDED, "Count words in book.txt")
    assert "8 words, 4 different" in [event.text for event in task.timeline()]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Straße STRASSE", [("strasse", 2)]),
        ("Ärger A\u0308rger ärger", [("ärger", 3)]),
        ("don't DON'T ’tis 'quoted'", [("don't", 2), ("quoted", 1), ("tis", 1)]),
        ("ΣΊΣΥΦΟΣ Σίσυφος", [("σίσυφοσ", 2)]),
        ("हिन्दी हिन्दी", [("हिन्दी", 2)]),
        ("слово, Слово. 名前 2026 2026 2026", [("2026", 3), ("слово", 2), ("名前", 1)]),
        ("_ __init__ snake_case", [("init__", 1), ("snake_case", 1)]),
        ("\ufeffword word", [("word", 2)]),
        ("hyphen\u00adation hyphenation \u00ad", [("hyphenation", 2)]),
        ("word\u2060joiner wordjoiner", [("wordjoiner", 2)]),
        ("می\u200cخواهم می\u200cخواهم", [("می\u200cخواهم", 2)]),
        ("ශ්\u200dරී ශ්\u200dරී", [("ශ්\u200dරී", 2)]),
        ("end\u200c \u200dbegin a\u200c\u200d\u200cb", [("a\u200c\u200d\u200cb", 1), ("begin", 1), ("end", 1)]),
        ("-5 =SUM @home +1", [("1", 1), ("5", 1), ("home", 1), ("sum", 1)]),
    ],
)
def test_words_are_those_of_any_language(count, text, rows):
    assert _rows(count(text)) == rows


def test_there_are_at_most_a_hundred(count):
    rows = _rows(count(" ".join(f"word{n:03} " * (1 + (n < 10)) for n in range(150))))
    assert rows[:10] == [(f"word{n:03}", 2) for n in range(10)]
    assert rows[10:] == [(f"word{n:03}", 1) for n in range(10, 100)]


@pytest.mark.parametrize("before", range(7))
def test_no_word_is_cut_where_a_chunk_ends(count, before):
    task = count("x " * (CHUNK // 2 - 4) + " " * (before + 1) + "déjà vu")
    assert _rows(task) == [("x", CHUNK // 2 - 4), ("déjà", 1), ("vu", 1)]
    assert task.done == task.total >= 1


def test_what_goes_on_without_end_is_no_word_and_no_trouble(count):
    assert _rows(count("x" * (3 * CHUNK) + " " + "y" * 100 + " " + "z" * 101)) == [("y" * 100, 1)]


@pytest.mark.parametrize(
    "text", ["x" * 3_000_000, "名前。" * 200_000, "a" + "\u0301\u0316" * 400_000, "a\u200c" * 400_000]
)
def test_a_line_without_an_end_costs_no_more_than_it_is_long(count, text):
    """To compose a letter with as many marks would take an hour."""
    begun = time.process_time()
    task = count(text)
    assert time.process_time() - begun < 60
    assert task.state in (State.SUCCEEDED, State.FAILED)
    if "。" in text:
        assert _rows(task) == [("名前", 200_000)], "and no word is cut"


def test_of_too_many_different_words_the_rare_ones_are_forgotten_and_that_is_said(count, monkeypatch):
    monkeypatch.setattr(module, "MOST_DIFFERENT", 5000)
    lines = "".join(f"often {n:x}q{n} {'seldom ' if n % 100 == 0 else ''}" for n in range(60_000))
    task = count(lines)
    assert _rows(task)[:2] == [("often", 60_000), ("seldom", 600)]
    said = [event.text for event in task.timeline() if event.kind == "log"]
    assert said[0] == "120,600 words, more than 5,000 different"
    assert said[1].startswith("Too many to keep, so rare words were dropped")


@pytest.mark.usefixtures("no_heartbeat")
def test_words_that_are_all_different_need_little_memory(app, run_tasks, monkeypatch):
    """Before, 8.4 MB of them took 459 MB; this is a twentieth of that."""
    monkeypatch.setattr(module, "MOST_DIFFERENT", 10_000)
    monkeypatch.setattr("tasks.engine.uploads.CHUNK", 64 * 1024)
    text = "".join(f"{n:x}q{n} " for n in range(100_000)).encode()
    task = count_words.launch(make_user(), file=Upload("words.txt", text))
    tracemalloc.start()
    run_tasks()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(_rows(task.reload())) == 100
    assert peak < 8 * 1024 * 1024, "100,000 of them would take 20 MB"


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\x89PNG\r\n\xff\xfe", "isn’t UTF-8 text"), (b"a\x00b", "isn’t a text file"), (b" ... \n", "contains no words")],
)
def test_what_has_no_words_fails_in_words(count, data, words):
    task = count(data, "picture.txt")
    assert task.state == State.FAILED
    assert f"picture.txt {words}" in task.error
    assert Artifact.completed([task])[task] == []


@pytest.mark.usefixtures("no_heartbeat")
@pytest.mark.parametrize("where", ["in the middle", "at the end"])
def test_a_run_that_was_killed_is_repeated_and_nothing_counts_twice(app, live_on, monkeypatch, where):
    parent, killed = module._words, []

    def words(piece):
        yield from parent(piece)
        if len(killed) < 2 and where == "in the middle":
            killed.append(piece)
            raise Killed

    monkeypatch.setattr(module, "_words", words)
    task = count_words.launch(make_user(), file=Upload("book.txt", b"one two two " * 60_000))
    if where == "at the end":
        finish = module.Run.finish
        monkeypatch.setattr(module.Run, "finish", lambda run: finish(run) if killed else (killed.append(1), _die()))
    live_on(task)
    assert (task.state, _rows(task)) == (State.SUCCEEDED, [("two", 120_000), ("one", 60_000)])
    assert (task.done, task.total) == (3, 3)
    assert killed


def _die():
    raise Killed


@pytest.mark.usefixtures("no_heartbeat")
def test_a_long_text_needs_little_memory_and_few_queries(app, run_tasks, queries):
    count_words.launch(make_user(), file=Upload("short.txt", b"a few words "))
    with queries() as few:
        run_tasks()
    task = count_words.launch(make_user(), file=Upload("long.txt", (b"a few words" + b" " * 200) * 40_000))
    tracemalloc.start()
    with queries() as many:
        run_tasks()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert _rows(task.reload()) == [("a", 40_000), ("few", 40_000), ("words", 40_000)]
    assert peak < 8 * 1024 * 1024, "and not the text's 8.4 MB and more"
    assert many.count < few.count + 45, "one for each chunk"
    assert TaskEvent.select().where(TaskEvent.task == task).count() < 6
