"""Phrases that a task function says: each is kept beside its text, which the release before shows."""

import pytest

from tasks.engine import TaskError, TemporaryError, Upload
from webapp.dev.factories import make_user
from webapp.lib import phrases
from webapp.lib.kept_words import read_words
from webapp.lib.phrases import Phrase, phrase
from webapp.models import State, Task, TaskEvent


@pytest.fixture(autouse=True)
def _only_here(monkeypatch):
    monkeypatch.setattr(phrases, "WORDINGS", dict(phrases.WORDINGS))


def _line(task: Task, kind: str) -> TaskEvent:
    return TaskEvent.get(TaskEvent.task == task.id, TaskEvent.kind == kind)


def test_a_task_says_phrases_wherever_it_says_a_text(declare, run_tasks, each_database, no_heartbeat):
    rows = phrase("t.rows", "{number} row", plural="{number} rows")
    seen = []

    @declare(title=phrase("t.title", "Read {file}"))
    def read(task, file: Upload):
        task.stage(rows(number=1200))
        task.checkpoint()
        seen.append(Task.get_by_id(task.id))
        task.log(rows(number=1))
        raise TaskError(rows(number=0))

    task = read.launch(make_user(), file=Upload("a.csv", b"1"))
    assert (task.title, task.reload().own_title) == ("Read a.csv", Phrase("t.title", {"file": "a.csv"}))
    run_tasks()
    assert read_words(seen[0].stage, seen[0].stage_phrase) == rows(number=1200)
    line = _line(task, "log")
    assert (line.text, read_words(line.text, line.phrase)) == ("1 row", rows(number=1))
    task.reload()
    assert (task.stage, task.stage_phrase) == ("", None)
    assert (task.error, read_words(task.error, task.error_phrase)) == ("0 rows", rows(number=0))
    assert _line(task, State.FAILED).phrase == {"phrase": "t.rows", "number": 0}


def test_a_text_takes_the_place_of_a_phrase(declare, run_tasks, no_heartbeat):
    busy = phrase("t.busy", "{who} is busy.")
    kept = []

    @declare(title=lambda: busy(who="a"), retries=1)
    def work(task):
        task.stage(busy(who="b") if task.is_last_attempt else "Beginning")
        task.checkpoint()
        kept.append(Task.get_by_id(task.id))
        task.rename("Called otherwise" if task.is_last_attempt else busy(who="c"))
        raise TemporaryError("Still busy." if task.is_last_attempt else busy(who="d"))

    task = work.launch(make_user())
    run_tasks()
    task.reload()
    assert (task.own_title, task.own_error) == (busy(who="c"), busy(who="d"))
    assert _line(task, State.RETRYING).text == "d is busy. Retrying (attempt 2 of 2)"
    task.retry()
    run_tasks()
    task.reload()
    assert (task.title, task.title_phrase) == ("Called otherwise", None)
    assert (task.error, task.error_phrase) == ("Still busy.", None)
    assert [read_words(row.stage, row.stage_phrase) for row in kept] == ["Beginning", busy(who="b")]
