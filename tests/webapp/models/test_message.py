"""Messages: the count of what is unread is right, whoever writes and reads at once."""

import re

import pytest
from playhouse.migrations import Runner

from tests.racing import race
from webapp.db import MIGRATIONS, database, is_postgres, migrate
from webapp.dev.factories import make_user
from webapp.models import Conversation, Message, Notification, User, message


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


# Conversations


def _kept() -> dict[tuple[int, int], tuple[int, int]]:
    return {(row.user_id, row.partner_id): (row.latest_id, row.unread) for row in Conversation.select()}


def _counted() -> dict[tuple[int, int], tuple[int, int]]:
    """What the messages themselves say."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for row in Message.select().order_by(Message.id):
        for pair in ((row.sender_id, row.recipient_id), (row.recipient_id, row.sender_id)):
            unread = pair[0] == row.recipient_id and not row.read_at
            found[pair] = (row.id, found.get(pair, (0, 0))[1] + unread)
    return found


def test_conversations_follow_whatever_writes_a_message(each_database):
    """As the release before does it, which knows nothing of them: one at a time, many at once, and by a cascade."""
    ann, bob, cem = make_user("ann"), make_user("bob"), make_user("cem")
    pairs = [(ann, bob), (bob, ann), (ann, cem), (cem, bob), (ann, bob)]
    Message.insert_many([{"sender": a, "recipient": b, "body": "Hello"} for a, b in pairs for _ in range(3)]).execute()
    assert _kept() == _counted() != {}
    for change in (
        lambda: Message.send(bob, cem, "Hello"),
        lambda: Message.update(read_at=Message.created_at).where(Message.sender == ann).execute(),
        lambda: Message.update(read_at=Message.created_at).execute(),
        lambda: Message.update(read_at=None).where(Message.id << [2, 5, 9]).execute(),
        lambda: Message.update(body="Bye", mail_key="a mail").execute(),
        lambda: Message.delete().where(Message.id << [3, 14, 15, 16]).execute(),
        lambda: Message.delete().where(Message.sender == cem).execute(),
        lambda: User.delete().where(User.id == bob.id).execute(),
        lambda: Message.delete().execute(),
    ):
        change()
        assert _kept() == _counted()
    assert _kept() == {}


def test_conversations_are_made_of_the_messages_that_there_are(each_database):
    ann, bob, cem = make_user("ann"), make_user("bob"), make_user("cem")
    for sender, recipient in ((ann, bob), (bob, ann), (cem, ann), (ann, bob)):
        Message.send(sender, recipient, "Hello")
    with database.atomic():
        Runner(database.obj, str(MIGRATIONS)).down("0028_conversations")
    assert "conversations" not in database.get_tables()
    migrate()
    assert _kept() == _counted() != {}


def test_a_long_conversation_is_marked_as_read_in_parts(each_database, monkeypatch, queries):
    monkeypatch.setattr(message, "READ_AT_ONCE", 3)
    ann, bob = make_user("ann"), make_user("bob")
    for _ in range(8):
        Message.send(ann, bob, "Hello")
    with queries() as seen:
        assert Message.read(bob, ann) == 8
    marks = [query.msg[0] for query in seen.get_queries() if query.msg[0].startswith('UPDATE "messages"')]
    assert len(marks) == 3
    assert _count(bob) == 0
    assert _kept() == _counted()


def test_an_inbox_and_a_conversation_are_read_by_index_however_long(each_database, queries):
    ann, bob = make_user("ann"), make_user("bob")
    for _ in range(3):
        Message.send(ann, bob, "Hello")
    with queries() as seen:
        assert len(Message.between(ann, bob, 2)) == 2
        list(Message.inbox(bob).limit(21))
        assert Message.is_unread(bob, ann)
    found = {"messages": set(), "conversations": set()}
    for setting in ("seqscan", "sort", "bitmapscan") if is_postgres() else ():
        database.execute_sql(f"SET enable_{setting} = off")  # as for more than a page
    for query in seen.get_queries():
        sql, values = query.msg
        explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
        plan = str(database.execute_sql(explain + sql, values).fetchall())
        assert not re.search(r"SCAN t1|Seq Scan on", plan), plan
        for table, names in found.items():
            names.update(re.findall(rf"{table[:-1]}s?_\w+", plan))
    # PostgreSQL chooses among them by statistics, which so few rows do not have.
    assert found["messages"]
    assert is_postgres() or {"messages_unread", "message_sender_id_recipient_id_created_at_id"} <= found["messages"]
    assert "conversation_user_id_latest_id" in found["conversations"]
