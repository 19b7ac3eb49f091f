"""The purge: what is old goes with all that belongs to it, a batch at a time, and never what is still under way."""

from datetime import timedelta

import pytest
from peewee import PostgresqlDatabase

from tasks.engine import retention as purging
from tasks.engine.config import config
from tasks.engine.models.state import FINISHED
from tasks.engine.retention import Purge, purge
from tests.racing import elsewhere
from webapp.db import database
from webapp.dev.factories import (
    make_artifact,
    make_mailing,
    make_mailing_file,
    make_notification,
    make_posts,
    make_task,
    make_user,
)
from webapp.lib.times import utcnow
from webapp.models import (
    MODELS,
    Artifact,
    ArtifactChunk,
    ChangeCount,
    Composition,
    IllegalTransition,
    Mailing,
    Notification,
    Post,
    State,
    StorageCount,
    Task,
    TaskEvent,
    User,
)
from webapp.models.notification_kinds import FAILED

DAY = timedelta(days=1)


def _old() -> dict:
    return {"finished_at": utcnow() - config().keep_tasks - DAY, "created_at": utcnow() - config().keep_tasks - 2 * DAY}


@pytest.mark.parametrize("state", State)
def test_only_tasks_that_ended_long_ago_are_deleted(app, state):
    make_task(state, **_old() if state in FINISHED else {"created_at": utcnow() - timedelta(days=999)})
    recent = make_task(State.SUCCEEDED, finished_at=utcnow() - config().keep_tasks + DAY)
    assert purge() == (state in FINISHED)
    assert Task.select().count() == (1 if state in FINISHED else 2)
    assert Task.get_by_id(recent.id)


@pytest.mark.parametrize("state", sorted(set(State) - FINISHED))
def test_an_old_task_that_is_retried_is_kept(app, state):
    make_task(state, **_old())
    assert purge() == 0


def test_a_task_goes_with_its_parts_its_timeline_its_files_and_its_news(app):
    parent = make_task(State.SUCCEEDED, composition=Composition.GROUP, name="", **_old())
    part = make_task(State.SUCCEEDED, parent.user, parent=parent, root=parent, **_old())
    make_artifact(part, data="x")
    assert purge() == 1
    assert not any(model.select().exists() for model in (Task, TaskEvent, Notification, Artifact, ArtifactChunk))


def test_a_part_goes_with_its_whole_and_not_before(app):
    parent = make_task(State.IN_PROGRESS, composition=Composition.GROUP, name="", lease_until=None, fencing_token=None)
    make_task(State.SUCCEEDED, parent.user, parent=parent, root=parent, **_old())
    assert purge() == 0


def test_the_oldest_tasks_are_deleted_first(app, configure):
    configure(rows_at_first=2, rows_at_most=2)
    user = make_user()
    for days in (3, 1, 2):
        make_task(State.FAILED, user, title=f"{days}", finished_at=utcnow() - config().keep_tasks - days * DAY)
    steps = Purge().steps()
    assert next(step for step in steps if step) == 2
    assert [task.title for task in Task.select()] == ["1"]
    assert sum(steps) == 1
    assert purge() == 0


def test_an_expired_file_leaves_its_name_and_no_content(app):
    expired = make_artifact(name="old.txt", data="x" * 600_000, expires_at=utcnow() - DAY)
    kept = make_artifact(name="new.txt", data="new")
    assert purge() == 1
    artifact = Artifact.get_by_id(expired.id)
    assert (artifact.name, artifact.size, artifact.read()) == ("old.txt", 600_000, b"")
    assert artifact.expired_at
    assert Artifact.get_by_id(kept.id).read() == b"new"
    assert purge() == 0, "once"


def test_a_file_is_kept_for_as_long_as_the_settings_say(app):
    artifact = make_artifact()
    assert config().keep_artifacts - DAY < artifact.expires_at - utcnow() <= config().keep_artifacts


def test_files_expire_a_batch_at_a_time(app, configure):
    configure(rows_at_first=2, rows_at_most=2)
    for _ in range(3):
        make_artifact(expires_at=utcnow() - DAY)
    assert [step for step in Purge().steps() if step] == [2, 1]


def test_the_pages_of_its_owner_hear_of_it_and_nobody_elses(each_database):
    owner, other = make_user(), make_user()
    make_task(State.SUCCEEDED, other)
    make_task(State.SUCCEEDED, owner, **_old())
    artifact = make_artifact(make_task(State.SUCCEEDED, owner), expires_at=utcnow() - DAY)
    before = [User.get_by_id(user.id).changes for user in (owner, other)]
    assert purge() == 2
    after = [User.get_by_id(user.id).changes for user in (owner, other)]
    assert after[0] > before[0]
    assert after[1] == before[1]
    assert Artifact.get_by_id(artifact.id).expired_at


# However much there is


def _much(user: User) -> Task:
    """An old task with all that a task may have, and a lot of each."""
    task = make_task(State.FAILED, user, **_old())
    TaskEvent.insert_many({"task": task.id, "kind": "log", "text": f"{n}"} for n in range(300)).execute()
    for number in range(3):
        make_artifact(task, f"{number}.bin", bytes(2_000_000))
    make_notification(user, kind=FAILED, task=task)
    make_posts(user, 300, task=task.id)
    part = make_task(State.SUCCEEDED, user, parent=task, root=task, **_old())
    make_artifact(make_task(State.SUCCEEDED, user, parent=part, root=task, **_old()), "far below.txt", "x")
    return task


def _mail(user: User) -> None:
    mailing = make_mailing(user, tuple(f"{n}@example.com" for n in range(300)), State.SUCCEEDED, draft_key=None)
    make_mailing_file(mailing)
    make_mailing_file(Mailing.begin_draft(user, mailing))
    Task.update(**_old()).where(Task.id == mailing.task_id).execute()


def test_no_transaction_writes_more_rows_than_it_may_whatever_a_task_has(
    each_database, monkeypatch, queries, configure
):
    configure(rows_at_most=50)
    user = make_user()
    _much(user)
    _mail(user)
    written = []
    execute = database.obj.execute_sql

    def watched(sql, params=None):
        cursor = execute(sql, params)
        if sql.startswith(("DELETE", "UPDATE")):
            written.append(cursor.rowcount)
        return cursor

    monkeypatch.setattr(database.obj, "execute_sql", watched)
    assert purge() == 2
    monkeypatch.undo()
    assert max(written) <= 50
    assert len(written) > 1000 / 50
    kept = {User: 1, ChangeCount: 1, Post: 300, StorageCount: 3}
    assert {model: model.select().count() for model in MODELS if model.select().exists()} == kept
    assert not any(count.size for count in StorageCount.select())
    assert not Post.select().where(Post.task.is_null(False)).exists(), "what a task has written stays"


def test_what_a_purge_left_half_done_is_hidden_and_finished_by_the_next(app, ann):
    task = _much(ann.user)
    steps = Purge().steps()
    for _ in range(4):
        next(steps)
    steps.close()
    assert Task.select().where(Task.id == task.id).exists()
    assert ann.get(f"/tasks/{task.id}").status_code == 404
    assert not ann.get("/tasks").page.select(".row.task")
    with pytest.raises(IllegalTransition):
        task.retry()
    assert purge() == 1
    assert not Task.select().exists()


def test_a_task_that_is_retried_just_before_its_deletion_stays_whole(each_database, monkeypatch):
    task = _much(make_user())
    still = purging._lock_unchanged

    def late(*args):
        elsewhere(Task.get_by_id(task.id).retry)
        return still(*args)

    if isinstance(database.obj, PostgresqlDatabase):  # on SQLite nobody writes while another does
        monkeypatch.setattr(purging, "_lock_unchanged", late)
    else:
        Task.get_by_id(task.id).retry()
    assert purge() == 0
    assert Task.get_by_id(task.id).state == State.PENDING
    assert len([artifact for artifact in task.artifacts if artifact.read()]) == 3


def test_locked_rows_are_skipped_and_deleted_by_the_next_purge(postgres_url, make_app):
    make_app(database_url=postgres_url)
    locked = _much(make_user())
    _much(make_user())
    assert Notification.select().where(Notification.task == locked).exists()
    with database.atomic():
        list(Notification.select().where(Notification.task == locked).limit(1).for_update())
        assert elsewhere(purge) < 2
    assert purge() > 0
    assert not Task.select().exists()


def test_a_purge_takes_as_long_as_there_is_to_delete_and_not_longer_for_each(app, queries):
    """What one task costs is the same however many are old: nothing walks over all of them for each batch."""

    def steps_of(number: int) -> float:
        user, old = make_user(), _old()
        rows = [{"user": user.id, "name": "x", "title": "x", "state": "succeeded"} | old for _ in range(number)]
        for begin in range(0, number, 500):
            Task.insert_many(rows[begin : begin + 500]).execute()
        visited = 0

        def visit():
            nonlocal visited
            visited += 1

        database.obj.connection().set_progress_handler(visit, 100)  # each hundred instructions of SQLite's machine
        assert purge() == number
        database.obj.connection().set_progress_handler(None, 0)
        return visited / number

    assert steps_of(1600) < 1.5 * steps_of(400)
