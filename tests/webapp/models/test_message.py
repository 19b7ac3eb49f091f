"""Messages: the count of what is unread is right, whoever writes and reads at once."""

import pytest

from tests.racing import race
from webapp.dev.factories import make_user
from webapp.models import Message, Notification


def _count(user) -> int:
    return Notification.unread_messages(user)


def test_reading_counts_and_marks_each_message_once(each_database):
    ann, bob = make_user("ann"), make_user("bob")
    for body in ("one", "two"):
        Message.send(ann, bob, body)
    assert _count(bob) == 2
    assert Message.read(bob, ann) == 2
    first = [message.read_at for message in Message.select()]
    assert all(first)
    assert (_count(bob), Message.read(bob, ann)) == (0, 0)
    assert [message.read_at for message in Message.select()] == first


def test_many_who_write_to_one_person_at_once_are_all_counted(each_database):
    bob, others = make_user("bob"), [make_user() for _ in range(6)]
    waiting = list(others)
    race(6, lambda: Message.send(waiting.pop(), bob, "Hello"))
    assert _count(bob) == 6


def test_two_who_write_to_each_other_at_once_do_not_wait_forever(each_database):
    ann, bob = make_user("ann"), make_user("bob")
    for _ in range(5):
        pairs = [(ann, bob), (bob, ann)]
        race(2, lambda pairs=pairs: Message.send(*pairs.pop(), "Hello"))
    assert (_count(ann), _count(bob)) == (5, 5)


def test_an_inbox_has_one_line_for_each_person_the_latest_first(each_database, queries):
    me, ann, bob = make_user("me"), make_user("ann"), make_user("bob")
    Message.send(ann, me, "first")
    Message.send(me, bob, "second")
    Message.send(bob, me, "third")
    Message.send(ann, me, "fourth")
    with queries() as seen:
        inbox = list(Message.inbox(me))
    assert seen.count == 1
    said = [(line.partner.username, line.latest.body, line.unread) for line in inbox]
    assert said == [("ann", "fourth", 2), ("bob", "third", 1)]


def test_nobody_writes_to_themselves(app):
    ann = make_user("ann")
    with pytest.raises(ValueError, match="themselves"):
        Message.send(ann, ann, "Hello")
