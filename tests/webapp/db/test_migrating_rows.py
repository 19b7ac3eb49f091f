"""Migrating a database with people's tasks in it: each goes on, and what they made is still theirs."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from playhouse.migrations import Runner

from tasks.engine.models import fair_queue
from tests.racing import race
from tests.webapp.db.older_rows import insert
from webapp.db import MIGRATIONS, configure, database, migrate
from webapp.lib.times import utcnow
from webapp.models import Artifact, Composition, Notification, State, Task, TaskEvent, User, withdraw

LEASE = timedelta(seconds=15)
OLD_STATES = ("pending", "in_progress", "canceling", "canceled", "succeeded", "failed")


@pytest.fixture(params=["sqlite", "postgres"])
def old(request, tmp_path):
    """A database as the first migration left it, with a person's task in each state that there was."""
    url = (
        f"sqlite:///{tmp_path / 'errand.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    configure(url)
    with database.atomic():
        Runner(database.obj, str(MIGRATIONS)).up("0001_initial")
    _fill()
    yield
    database.close()


def _fill() -> None:
    now = utcnow()
    insert(
        "users",
        id=1,
        username="ann",
        username_key="ann",
        email="",
        password_hash="",
        session_key="k",
        about="",
        time_zone="UTC",
        created_at=now,
        seen_at=now,
        changes=3,
    )
    for state in OLD_STATES:
        active, runs = state in ("pending", "in_progress", "canceling"), state in ("in_progress", "canceling")
        insert(
            "tasks",
            id=_as_stored(uuid4()),
            user_id=1,
            name="export_posts",
            title=state,
            arguments=json.dumps({}),
            state=state,
            stage="",
            done=12,
            total=40,
            error="",
            attempts=1,
            owner="a run" if runs else None,
            unique_key=f"key of {state}" if active else None,
            created_at=now,
            started_at=now,
            updated_at=now,
            finished_at=None if active else now,
        )
    for task_id, title in database.execute_sql("SELECT id, title FROM tasks").fetchall():
        insert("task_events", task_id=task_id, at=now, kind="launched", text="Started by you")
        payload = json.dumps({"state": title, "done": 12, "total": 40})
        insert(
            "notifications",
            user_id=1,
            name="task_progress",
            task_id=task_id,
            scope=str(task_id),
            payload=payload,
            updated_at=now,
        )
    [[task_id]] = database.execute_sql("SELECT id FROM tasks WHERE state = 'succeeded'").fetchall()
    artifact_id = _as_stored(uuid4())
    insert(
        "artifacts",
        id=artifact_id,
        task_id=task_id,
        kind="file",
        name="posts.json",
        content_type="application/json",
        size=2,
        created_at=now,
        completed_at=now,
    )
    insert("artifact_chunks", artifact_id=artifact_id, number=0, data=b"{}")


def _as_stored(value):
    return Task.id.db_value(value)


def _task(title: str) -> Task:
    return Task.get(Task.title == title)


def test_unfinished_task_is_queued_again_after_migration(old):
    migrate()
    assert fair_queue.waiting_count() == 2
    for title in ("pending", "in_progress"):
        task = _task(title)
        assert (task.state, task.fencing_token, task.lease_until) == (State.PENDING, None, None)
        assert task.queue_key is not None
        assert task.unique_key == task.active_unique_key == f"key of {title}"
    assert (_task("in_progress").done, _task("in_progress").total) == (0, None)


def test_unfinished_task_succeeds_after_migration(old):
    migrate()
    for _ in range(2):
        task = Task.claim(LEASE)
        assert (task.cursor, task.composition, task.parent_id) == (None, Composition.SINGLE, None)
        task.succeed()
        assert (task.reload().state, task.active_unique_key) == (State.SUCCEEDED, None)
    assert Task.claim(LEASE) is None


def test_task_asked_to_stop_is_stopped_after_migration(old):
    migrate()
    task = _task("canceling")
    assert (task.state, task.fencing_token, task.active_unique_key) == (State.CANCELED, None, None)
    assert task.finished_at, "it has ended, and goes one day"


@pytest.mark.parametrize("state", ["canceled", "succeeded", "failed"])
def test_finished_task_is_unchanged_after_migration(old, state):
    migrate()
    task = _task(state)
    assert (task.state, task.done, task.total, task.active_unique_key, task.queue_key) == (state, 12, 40, None, None)


def test_migrated_rows_are_readable_and_new_fields_have_defaults(old):
    migrate()
    [artifact] = Artifact.completed([_task("succeeded")])[_task("succeeded")]
    assert artifact.read() == b"{}"
    assert (artifact.expires_at, artifact.expired_at) == (None, None)
    assert [event.text for event in _task("failed").timeline()] == ["Started by you"]
    assert Notification.select().count() == len(OLD_STATES)
    assert User.get_by_id(1).mail_after is None
    assert {
        (task.composition, task.priority, task.retries, task.rescues, task.crashes, task.run_seconds) for task in Task
    } == {(Composition.SINGLE, 0, 0, 0, 0, 0.0)}
    assert {task.moves for task in Task} == {0}
    assert {task.title for task in Task if task.ready_at} == {"pending", "in_progress"}, "which wait for a worker now"
    assert all(task.ready_at in (None, task.updated_at) for task in Task)


def test_an_address_of_before_has_thirty_days_to_be_confirmed(old):
    database.execute_sql("UPDATE users SET email = 'ann@example.com'")
    migrate()
    ann = User.get()
    assert ann.must_confirm_email
    assert timedelta(days=29) < ann.email_grace_ends_at - utcnow() <= timedelta(days=30)
    assert withdraw(10, with_grace=True) == withdraw(10, with_grace=False) == []


def test_foreign_keys_are_enforced_after_migration(old):
    migrate()
    User.delete().execute()
    assert not any(model.select().exists() for model in (Task, TaskEvent, Notification, Artifact))


def test_migration_with_rows_can_be_rolled_back(old):
    migrate()
    with database.atomic():
        Runner(database.obj, str(MIGRATIONS)).down("0002_never_lost")
    columns = {column.name for column in database.get_columns("tasks")}
    assert {"unique_key", "pushed_at"} <= columns
    assert not columns & {"held_key", "turn", "cursor", "lease_until"}
    assert "leaders" not in database.get_tables()
    assert migrate(), "and forth again"
    assert fair_queue.waiting_count() == 2


def test_rows_are_migrated_once_by_two_processes(old):
    applied = race(2, migrate)
    assert sorted(map(bool, applied)) == [False, True]
