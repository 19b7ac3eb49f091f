"""The feed: the latest of its kind for each task and each user, and a counter that says something is new."""

import threading

import pytest
from peewee import IntegrityError

from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.models import Notification, User
from webapp.models.notification import UNREAD_MESSAGE_COUNT


def test_a_record_replaces_its_predecessor(each_database):
    user = make_user()
    for count in (1, 2, 3):
        Notification.put(user.id, UNREAD_MESSAGE_COUNT, {"count": count})
    [record] = Notification.select()
    assert (record.payload, User.get_by_id(user.id).changes) == ({"count": 3}, 3)
    assert Notification.unread_messages(user) == 3


def test_everyone_has_a_record_of_their_own(each_database):
    ann, bob = make_user(), make_user()
    Notification.put(ann.id, UNREAD_MESSAGE_COUNT, {"count": 1})
    assert (Notification.unread_messages(ann), Notification.unread_messages(bob)) == (1, 0)
    assert User.get_by_id(bob.id).changes == 0


def test_a_second_record_of_a_kind_cannot_be(each_database):
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
