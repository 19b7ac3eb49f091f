"""The migration of sentences: what a row said it still says, now as a phrase where the sentence is ours."""

import json
from uuid import uuid4

import pytest
from playhouse.migrations import Runner

from tests.webapp.db.older_rows import insert, insert_user
from webapp.db import MIGRATIONS, configure, database, migrate
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow
from webapp.models import Task, TaskEvent

OURS = [
    ("launched", "Started by you", "task.started", {}),
    ("started", "Picked up by a worker", "task.picked_up", {}),
    ("started", "Picked up by a worker (attempt 12)", "task.picked_up_again", {"attempt": 12}),
    ("started", "Continued by a worker after step 1,234,567", "task.continued", {"step": 1234567}),
    ("pending", "Lost contact with the worker; waiting for another", "task.lost", {}),
    ("paused", "Paused", "task.stopped_for_pause", {}),
    ("paused", 'Paused: It’s "over".', "task.paused_by_error", {"error": 'It’s "over".'}),
    ("canceled", "Canceled by you", "task.canceled", {}),
    ("canceling", "Canceled by you; stopping after the current step", "task.canceling", {}),
    ("undone", "Undone by you: 3 posts deleted", "task.undone", {"what": "3 posts deleted"}),
    ("failed", "Something went wrong on our side. We’ve logged the error.", "task.unexpected", {}),
    ("failed", "It took longer than 90 seconds and was stopped.", "task.took_too_long", {"seconds": 90}),
    ("failed", "It made no progress for 5 minutes and was stopped.", "task.no_progress", {"seconds": 300}),
    ("retrying", "The database didn’t respond.", "task.not_saved", {}),
]
OTHERS = [
    ("log", "Paused"),  # an author's
    ("log", "Canceled by you"),
    ("failed", "Row 3 is broken."),
    ("failed", "It took longer than it should and was stopped."),
    ("started", "Continued by a worker after step ?"),
    ("retrying", "It broke. Retrying (attempt 2 of 3)"),
]


@pytest.fixture(params=["sqlite", "postgres"])
def before(request, tmp_path):
    """A database of the release before."""
    url = (
        f"sqlite:///{tmp_path / 'errand.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    configure(url)
    with database.atomic():
        Runner(database.obj, str(MIGRATIONS)).up("0022_phrases")
    yield
    database.close()


def test_sentences_of_ours_become_phrases_and_read_as_before(before):
    user, now, row = insert_user("ann"), utcnow(), Task.id.db_value(uuid4())
    about = {"user_id": user.id, "name": "x", "title": "A", "arguments": json.dumps({}), "state": "failed", "stage": ""}
    counts = {"done": 0, "attempts": 1, "created_at": now, "updated_at": now}
    insert("tasks", id=row, error=OURS[-4][1], **about, **counts)
    insert("tasks", id=Task.id.db_value(uuid4()), error=OTHERS[2][1], **about, **counts)
    for kind, text in [line[:2] for line in OURS] + OTHERS:
        insert("task_events", task_id=row, at=now, kind=kind, text=text)
    migrate()
    lines = list(TaskEvent.select().order_by(TaskEvent.id))
    phrases = [line.phrase and Phrase.from_json(line.phrase) for line in lines]
    assert phrases[: len(OURS)] == [Phrase(name, arguments) for *_, name, arguments in OURS]
    assert phrases[len(OURS) :] == [None] * len(OTHERS)
    assert [line.words() for line in lines] == [line.text for line in lines]
    ours, other = sorted(Task.select(), key=lambda task: task.error_phrase is None)
    assert (ours.own_error, ours.error_words()) == (Phrase("task.unexpected"), ours.error)
    assert (other.error_phrase, other.error_words()) == (None, "Row 3 is broken.")
