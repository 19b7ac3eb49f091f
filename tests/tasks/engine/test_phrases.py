"""Phrases that a task function says: each is kept beside its text, which the release before shows."""

import pytest

from tasks.engine import TaskError, TemporaryError, Upload
from webapp.dev.factories import make_user
from webapp.lib import phrases
from webapp.lib.phrases import phrase
from webapp.models import State, Task, TaskEvent
from webapp.models.task.stored import words_of


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
    assert (task.title, task.reload().title_phrase) == ("Read a.csv", {"phrase": "t.title", "file": "a.csv"})
    run_tasks()
    assert words_of(seen[0].stage, seen[0].stage_phrase) == rows(number=1200)
    line = _line(task, "log")
    assert (line.text, words_of(line.text, line.phrase)) == ("1 row", rows(number=1))
    task.reload()
    assert (task.stage, task.stage_phrase) == ("", None)
    assert (task.error, words_of(task.error, task.error_phrase)) == ("0 rows", rows(number=0))
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
    assert (task.title_phrase, task.error_phrase) == (busy(who="c").as_json(), busy(who="d").as_json())
    assert _line(task, State.RETRYING).text == "d is busy. Retrying (attempt 2 of 2)"
    task.retry()
    run_tasks()
    task.reload()
    assert (task.title, task.title_phrase) == ("Called otherwise", None)
    assert (task.error, task.error_phrase) == ("Still busy.", None)
    assert [row.stage_phrase for row in kept] == [None, busy(who="b").as_json()]
