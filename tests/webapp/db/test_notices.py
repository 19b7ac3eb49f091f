"""Notifications beside a release from before 0023, which keeps what it lists in `notices`: that is copied."""

from datetime import timedelta

import pytest
from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, TextField

from tests.webapp.db.older_rows import insert_user
from webapp.db import BaseModel, changing_schema, database, migrate
from webapp.db.migration_runner import MIGRATIONS
from webapp.dev.factories import make_message, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Message, Notification, State, Task, User
from webapp.models.notification_kinds import FAILED, SUCCEEDED

NAME = "0023_notifications"
LATER = sorted(path.stem for path in MIGRATIONS.glob("00*.py") if path.stem > NAME)


class Notice(BaseModel):
    """As the release before has it."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False, backref="+")
    kind = CharField(max_length=10)
    text = TextField()
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE", backref="+")
    sender = ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+")
    created_at = DateTimeField(default=utcnow)
    read_at = DateTimeField(null=True)

    class Meta:
        table_name = "notices"


for _model in (User, Task):  # no other test knows it
    for _field in [field for field, model in _model._meta.backrefs.items() if model is Notice]:
        Notice._meta.remove_ref(_field)


INSERT = (
    "INSERT INTO notices (user_id, kind, text, task_id, sender_id, created_at) VALUES ({0}, {0}, {0}, {0}, {0}, {0})"
)


def _put(user: User, kind: str, text: str, task: Task | None = None, sender: User | None = None) -> None:
    """What the release before does at the end of a task, and as somebody writes."""
    if sender:
        unread = Notice.user == user, Notice.kind == "message", Notice.sender == sender, Notice.read_at.is_null()
        Notice.delete().where(*unread).execute()
    task_id = Notice.task.db_value(task.id) if task else None
    values = user.id, kind, text, task_id, sender.id if sender else None, utcnow()
    database.execute_sql(INSERT.format(database.param), values)


def _read(user: User, *which: object) -> None:
    """What the release before does as somebody reads."""
    Notice.update(read_at=utcnow()).where(Notice.user == user, Notice.read_at.is_null(), *which).execute()


def _listed(user: User) -> list[tuple[str, str, bool]]:
    return [(str(said), said.kind.name, bool(said.read_at)) for said in Notification.of(user)]


def _noticed(user: User) -> list[tuple[str, str, bool]]:
    """What the release before lists."""
    rows = Notice.select().where(Notice.user == user).order_by(Notice.created_at.desc(), Notice.id.desc())
    return [(row.text, row.kind, bool(row.read_at)) for row in rows]


# What the release before writes


def test_what_the_release_before_tells_of_a_task_is_listed_at_once(each_database):
    task = make_task(State.SUCCEEDED)
    _put(task.user, "succeeded", "Count finished", task)
    assert _listed(task.user) == [("Count finished", "succeeded", False)]
    assert Notification.unread(task.user) == 1
    [record] = Notification.select()
    assert (record.task, record.payload["state"]) == (task, "succeeded")
    assert record.told_at == Notice.get().created_at
    assert len(_noticed(task.user)) == 1, "and is not copied back"
    _read(task.user)
    assert _listed(task.user) == [("Count finished", "succeeded", True)]


def test_a_task_that_ends_again_there_is_told_again(each_database):
    task = make_task(State.FAILED)
    Notification.tell_end(task.user, FAILED, FAILED.phrase("Count", "It broke."), task)
    Notification.read(task.user)
    _put(task.user, "succeeded", "Count finished", task)
    assert _listed(task.user) == [("Count finished", "succeeded", False)]
    assert _noticed(task.user) == [("Count finished", "succeeded", False)]


def test_a_task_without_a_record_gets_one(each_database):
    task = make_task(State.SUCCEEDED)
    Notification.delete().execute()
    _put(task.user, "mail", "Email was sent", task)
    Notification.put(task.user_id, "task_progress", {"done": 1}, task.id)
    [record] = Notification.select()
    assert (record.scope, str(record), record.payload) == (str(task.id), "Email was sent", {"done": 1})


def test_what_somebody_writes_there_is_one_notification(each_database):
    ann, bob = make_user("ann"), make_user("bob")
    for _ in range(2):
        _put(ann, "message", "bob wrote to you", sender=bob)
        assert _listed(ann) == [("bob wrote to you", "message", False)]
        assert [name for _, name in Notification.writers(ann, utcnow() - timedelta(minutes=1))] == ["bob"]
    _read(ann, Notice.sender == bob)
    assert _listed(ann) == [("bob wrote to you", "message", True)]
    make_message(bob, ann)
    assert _listed(ann) == [("bob wrote to you", "message", False)]
    _put(ann, "message", "bob wrote to you", sender=bob)
    Notice.delete().where(Notice.user == ann, Notice.read_at.is_null()).execute()
    assert _listed(ann) == [], "it takes back what it does not tell any more"


def test_an_older_notice_changes_nothing_of_what_is_newer(each_database):
    task = make_task(State.SUCCEEDED)
    _put(task.user, "failed", "Count: It broke.", task)
    old = Notice.get()
    Notification.tell_end(task.user, SUCCEEDED, SUCCEEDED.phrase("Count"), task)
    _read(task.user, Notice.id == old.id)
    assert _listed(task.user) == [("Count finished", "succeeded", False)]


# What this release writes


def test_what_this_release_tells_is_copied_no_more(each_database):
    """It cost a row with four indexes for each end of a task, for processes of a release that is gone."""
    ann, bob = make_user("ann"), make_user("bob")
    make_task(State.IN_PROGRESS, ann).succeed()
    make_message(bob, ann)
    Message.read(ann, bob)
    assert Notification.read(ann) == 1
    assert [row[2] for row in _listed(ann)] == [True, True]
    assert _noticed(ann) == []


def test_nothing_is_left_of_what_is_deleted(each_database):
    ann, bob = make_user("ann"), make_user("bob")
    task = make_task(State.IN_PROGRESS, ann)
    task.succeed()
    _put(ann, "succeeded", "Count finished", task)
    _put(ann, "message", "bob wrote to you", sender=bob)
    task.remove()
    assert len(_listed(ann)) == len(_noticed(ann)) == 1
    User.delete().where(User.id == bob.id).execute()
    assert not Notice.select().exists()
    assert not Notification.of(ann)


# What there was


@pytest.mark.usefixtures("each_database")
def test_what_there_was_is_converted_to_the_latest_of_each_subject():
    _undo_migrations()
    ann, bob = insert_user("ann"), insert_user("bob")
    first, second = _task(ann), _task(ann)
    for task, kind, text in (
        (first, "failed", "One: It broke."),
        (second, "mail", "Two was sent"),
        (first, "succeeded", "One finished"),
    ):
        _put(ann, kind, text, task)
    _read(ann, Notice.task == second)
    for sender, reader in ((bob, ann), (ann, bob)):
        _put(reader, "message", f"{sender.username} wrote to you", sender=sender)
    before = _noticed(ann)
    assert migrate() == [NAME, *LATER]
    assert _listed(ann) == [
        ("bob wrote to you", "message", False),
        ("One finished", "succeeded", False),
        ("Two was sent", "mail", True),
    ]
    assert _listed(bob) == [("ann wrote to you", "message", False)]
    assert Notification.unread(ann) == 1
    assert Notification.select().where(Notification.task == first).count() == 1
    assert _noticed(ann) == before
    _undo_migrations()
    assert _noticed(ann) == before, "the release before has all there is, also after a rollback"


def _undo_migrations() -> None:
    with changing_schema() as runner:
        for name in (*reversed(LATER), NAME):
            runner.down(name)


def _task(user: User) -> Task:
    """A task with its record, as the schema before has it."""
    task = Task.create(user=user, name="countdown", title="Count", state=State.SUCCEEDED, finished_at=utcnow())
    values = user.id, "task_progress", str(task.id), Task.id.db_value(task.id), "{}", utcnow()
    columns = "user_id, name, scope, task_id, payload, updated_at"
    marks = ", ".join([database.param] * len(values))
    database.execute_sql(f"INSERT INTO notifications ({columns}) VALUES ({marks})", values)
    return task
