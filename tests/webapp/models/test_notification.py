"""Notifications: one record for each subject, always up to date, and listed once it has something to tell."""

import threading
from datetime import timedelta

import pytest
from peewee import IntegrityError

from tests.processes import until
from tests.racing import elsewhere
from webapp.db import database
from webapp.dev.factories import make_message, make_notification, make_task, make_user
from webapp.models import Message, Notification, State, User
from webapp.models.notification_kinds import SUCCEEDED, TASK_PROGRESS, UNREAD_MESSAGE_COUNT


def test_a_record_replaces_its_predecessor(each_database):
    user = make_user()
    for count in (1, 2, 3):
        Notification.put(user.id, UNREAD_MESSAGE_COUNT, {"count": count})
    [record] = Notification.select()
    assert (record.payload, User.get_by_id(user.id).changes) == ({"count": 3}, 3)
    assert Notification.unread_messages(user) == 3
    assert not Notification.of(user), "it has a badge, and tells nothing"


def test_everyone_has_a_record_of_their_own(each_database):
    ann, bob = make_user(), make_user()
    Notification.put(ann.id, UNREAD_MESSAGE_COUNT, {"count": 1})
    assert (Notification.unread_messages(ann), Notification.unread_messages(bob)) == (1, 0)
    assert User.get_by_id(bob.id).changes == 0


def test_a_second_record_of_a_subject_cannot_be(each_database):
    task = make_task()
    [record] = Notification.select()
    copy = dict(record.__data__)
    del copy["id"]
    with pytest.raises(IntegrityError), database.atomic():
        Notification.insert(**copy).execute()
    assert Notification.select().where(Notification.task == task).count() == 1


def test_records_written_at_once_are_one_and_each_is_counted(each_database):
    user, barrier = make_user(), threading.Barrier(6)

    def put(count: int):
        with database.connection_context():
            barrier.wait()
            Notification.put(user.id, UNREAD_MESSAGE_COUNT, {"count": count})

    threads = [threading.Thread(target=put, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Notification.select().count() == 1
    assert User.get_by_id(user.id).changes == 6


@pytest.mark.parametrize(("hearing", "told"), [(None, 1), ({"succeeded": "app"}, 1), ({"succeeded": "off"}, 0)])
def test_the_end_of_a_task_is_told_as_its_owner_wants(each_database, hearing, told):
    user = make_user()
    User.update(hearing=hearing).where(User.id == user.id).execute()
    task = make_task(State.IN_PROGRESS, user)
    assert not Notification.of(user)
    task.succeed()
    assert Notification.unread(user) == told
    assert [(said.kind, said.task) for said in Notification.of(user)] == [(SUCCEEDED, task)] * told
    [record] = Notification.select()
    assert (record.name, record.payload["state"]) == (TASK_PROGRESS, "succeeded"), "for the feed it is there anyway"


def test_a_task_that_ends_again_is_told_again_at_the_top_and_unread(each_database):
    task, other = make_task(State.IN_PROGRESS), make_task(State.IN_PROGRESS)
    task.fail("It broke.")
    before = Notification.of(task.user).get()
    assert Notification.read(task.user) == 1
    task.retry()
    assert str(Notification.of(task.user).get()) == f"{task.title}: It broke.", "until there is something newer"
    assert not Notification.is_any_unread(task.user)
    claimed = type(task).claim(timedelta(seconds=15))
    claimed.succeed()
    [now] = Notification.of(task.user)
    assert (now.id, str(now), now.read_at) == (before.id, f"{task.title} finished", None)
    assert now.told_at > before.told_at
    assert Notification.unread(task.user) == 1
    assert not Notification.of(other.user)


def test_a_conversation_is_one_record_for_each_sender(each_database):
    ann, bob, eve = make_user("ann"), make_user("bob"), make_user("eve")
    for sender in (bob, eve, bob):
        make_message(sender, ann)
    assert [(str(said), said.sender) for said in Notification.of(ann)] == [
        ("bob wrote to you", bob),
        ("eve wrote to you", eve),
    ]
    Message.read(ann, bob)
    assert [bool(said.read_at) for said in Notification.of(ann)] == [True, False]
    assert not Notification.of(bob)


def test_only_what_somebody_names_is_read(each_database):
    user = make_user()
    first, second = make_notification(user), make_notification(user)
    assert Notification.read(user, Notification.about(first.task_id)) == 1
    assert Notification.read(user, Notification.about(first.task_id)) == 0, "it is read once"
    assert Notification.is_any_unread(user, Notification.about(second.task_id))
    assert Notification.read(make_user()) == 0
    assert Notification.unread(user) == 1


def test_what_is_told_of_a_task_that_changes_just_then_is_read_after_that(make_app, emptied_postgres):
    make_app(database_url=emptied_postgres)
    user = make_user()
    busy, other = make_notification(user).task, make_notification(user)
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    reading = threading.Thread(target=elsewhere, args=(lambda: Notification.read(user),))
    with database.atomic():
        busy.dismiss()
        reading.start()
        until(lambda: database.execute_sql(waiting).fetchone())
        assert not Notification.is_any_unread(user, Notification.about(other.task_id)), "the others need not wait"
        assert Notification.is_any_unread(user, Notification.about(busy.id))
    reading.join()
    assert not Notification.is_any_unread(user)
