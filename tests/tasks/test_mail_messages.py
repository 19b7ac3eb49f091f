"""Messages by mail: one mail about all that somebody has not read for a while, and never twice about the same."""

import re
from datetime import timedelta

import pytest

from tasks.mail_messages import line_up_messages as line_up
from tests.processes import free_port
from tests.racing import elsewhere, race
from tests.tasks.conftest import Killed
from webapp import mail
from webapp.dev.factories import make_message, make_user
from webapp.lib.times import utcnow
from webapp.mail import SmtpSession
from webapp.models import Deletion, Message, State, Task, User
from webapp.models.message import UNREAD_FOR

AGO = timedelta(seconds=1)
BY_MAIL = {"hearing": {"message": "mail"}, "email": "me@example.com"}

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(mailserver, each_database):
    """The app on each database, and a mail server that it sends by."""
    return each_database


@pytest.fixture
def me(app) -> User:
    """Somebody who wants mail about messages."""
    return make_user("me", **BY_MAIL)


@pytest.fixture
def ann(me) -> User:
    return make_user("ann")


@pytest.fixture
def bea(me) -> User:
    return make_user("bea")


def _later() -> None:
    """The minutes pass after which what is unread is mailed, and with them those to a next attempt."""
    Message.update(mail_due_at=utcnow() - AGO).where(Message.mail_due_at.is_null(False)).execute()
    Task.update(run_at=utcnow()).where(Task.run_at.is_null(False)).execute()
    for task in Task.due(10):
        task.enqueue()


def _text(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def _told(mail) -> str:
    """How many messages it tells of, and from whom."""
    return re.search(r"^You have (.*)\.\r?$", _text(mail), re.MULTILINE)[1]


def _html(mail) -> str:
    return mail.get_body(("html",)).get_content()


@pytest.fixture
def pass_by(run_waiting):
    """A function that lets so much time pass, and the site do what is then to be done."""

    def pass_by() -> None:
        _later()
        line_up(200)
        run_waiting()

    return pass_by


# What is mailed, and when


def test_what_is_unread_is_mailed_in_one_mail_with_a_way_to_each_conversation(me, ann, bea, mailserver, pass_by):
    for sender, body in ((ann, "Hello\n  you"), (bea, "<b>Bold</b> & more"), (ann, "Still there?")):
        make_message(sender, me, body)
    pass_by()
    [mail] = mailserver.mails
    assert (mail["To"], mail["Subject"]) == ("me@example.com", "You have 3 new messages")
    assert _told(mail) == "3 new messages from ann and bea"
    assert mail["Auto-Submitted"] == "auto-generated"
    for said in (_text(mail), _html(mail)):
        assert "http://localhost/messages/ann" in said
        assert "http://localhost/messages/bea" in said
        assert "http://localhost/notifications" in said
        assert "Hello you" in said
        assert "Still there?" in said
    assert "<b>Bold</b> & more" in _text(mail)
    assert "&lt;b&gt;Bold" in _html(mail)
    pass_by()
    assert len(mailserver.mails) == 1, "once"


def test_nobody_is_led_to_reply_to_a_deleted_account(me, ann, bea, mailserver, pass_by):
    for sender in (ann, bea):
        make_message(sender, me, "Hello")
    Deletion.begin(ann)
    pass_by()
    [mail] = mailserver.mails
    assert _told(mail) == "2 new messages from a deleted account and bea"
    assert re.findall("Reply to (.*?):", _text(mail)) == ["bea"]
    assert re.findall("Reply to (.*?)<", _html(mail)) == ["bea"]


def test_nothing_is_mailed_before_it_was_unread_for_a_while(me, ann):
    message = make_message(ann, me)
    assert timedelta(0) <= utcnow() + UNREAD_FOR - message.mail_due_at < timedelta(seconds=10)
    line_up(200)
    assert not Task.select().exists()


def test_a_mail_that_is_due_takes_along_what_came_meanwhile(me, ann, bea, mailserver, run_waiting, pass_by):
    make_message(ann, me, "The first")
    _later()
    make_message(bea, me, "Just now")
    line_up(200)
    run_waiting()
    assert [_told(mail) for mail in mailserver.mails] == ["2 new messages from ann and bea"]
    make_message(ann, me, "After it")
    pass_by()
    assert [_told(mail) for mail in mailserver.mails][1:] == ["1 new message from ann"]
    assert "The first" not in _text(mailserver.mails[1])


def test_what_has_been_read_is_left_out_and_if_all_is_there_is_no_mail(me, ann, bea, mailserver, run_waiting):
    make_message(ann, me)
    make_message(bea, me)
    Message.read(me, ann)
    _later()
    line_up(200)
    Message.read(me, bea)  # while the mail waits for a worker
    run_waiting()
    [task] = Task.select()
    assert (task.state, mailserver.mails) == (State.SUCCEEDED, [])


def test_what_is_read_once_it_is_begun_is_left_out_too(me, ann, bea, mailserver, monkeypatch, pass_by):
    make_message(ann, me, "Read at the last moment")
    make_message(bea, me)
    begin = Message.begin_mail

    def begin_and_read(reader):
        key = begin(reader)
        Message.read(me, ann)
        return key

    monkeypatch.setattr(Message, "begin_mail", begin_and_read)
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["1 new message from bea"]


@pytest.mark.parametrize(
    "who",
    [{}, {"hearing": {"message": "app"}}, {"hearing": {"message": "off"}}, {"email": ""}],
    ids=["did not ask", "wants it in the app", "wants nothing", "has no address"],
)
def test_nobody_else_is_mailed(me, ann, mailserver, pass_by, who):
    other = make_user("other", **({"email": "other@example.com", "hearing": None} if not who else BY_MAIL | who))
    assert make_message(ann, other).mail_due_at is None
    pass_by()
    assert (mailserver.mails, Task.select().count()) == ([], 0)


@pytest.mark.parametrize("change", [{"hearing": {"message": "app"}}, {"email": ""}])
def test_who_changes_their_mind_is_not_mailed_now_nor_later(me, ann, mailserver, pass_by, change):
    make_message(ann, me)
    User.update(change).where(User.id == me.id).execute()
    pass_by()
    User.update(BY_MAIL).where(User.id == me.id).execute()
    pass_by()
    assert mailserver.mails == []


def test_many_people_and_long_messages_make_a_short_mail(me, mailserver, pass_by):
    for number in range(5):
        sender = make_user(f"p{number}")
        for _ in range(4 if number else 200):
            make_message(sender, me, "word " * 100)
    pass_by()
    [mail] = mailserver.mails
    assert _told(mail) == "216 new messages from p0, p1 and 3 others"
    text = _text(mail)
    assert "and 197 more" in text
    assert len(text) < 5000
    assert "/messages/p4" in text


def test_a_mail_costs_the_same_however_much_it_tells_of(me, ann, mailserver, queries, pass_by):
    def cost(messages: int) -> int:
        for _ in range(messages):
            make_message(ann, me)
        with queries() as seen:
            pass_by()
        return seen.count

    assert abs(cost(1) - cost(30)) <= 1, "but for where the line begins, which is looked for once a second"


def test_finding_who_is_to_be_mailed_is_one_query(me, ann, queries):
    make_message(ann, me)
    with queries() as seen:
        line_up(200)
    assert seen.count == 1


# Never twice, never lost


def test_a_person_has_one_such_task_at_a_time_however_often_it_is_looked(me, ann, mailserver, run_tasks):
    make_message(ann, me)
    _later()
    for _ in range(3):
        line_up(200)
    assert Task.select().count() == 1
    assert run_tasks() == 1
    assert len(mailserver.mails) == 1


def test_those_who_have_one_under_way_do_not_stand_in_the_way_of_others(me, ann, bea):
    make_message(ann, me)
    make_message(ann, make_user("other", **BY_MAIL))
    _later()
    line_up(1)
    line_up(1)
    assert Task.select().count() == 2


@pytest.mark.parametrize("where", ["before", "after"])
def test_who_is_killed_in_the_middle_repeats_that_mail_at_most_and_adds_nothing_to_it(
    me, ann, bea, mailserver, live_on, monkeypatch, pass_by, where
):
    send, calls = SmtpSession.send, []

    def send_or_die(self, content, recipient, message_id):
        calls.append(message_id)
        assert message_id in elsewhere(lambda: [message.mail_key for message in Message]), "on record before it goes"
        if len(calls) == 1:
            if where == "after":
                send(self, content, recipient, message_id)
            make_message(bea, me, "Came meanwhile")
            raise Killed
        send(self, content, recipient, message_id)

    monkeypatch.setattr(SmtpSession, "send", send_or_die)
    make_message(ann, me, "In flight")
    _later()
    line_up(200)
    assert live_on(Task.get()).state == State.SUCCEEDED
    assert len(mailserver.mails) == (2 if where == "after" else 1)
    assert len({mail["Message-ID"] for mail in mailserver.mails}) == 1, "so that a receiver knows it for the same"
    assert len({_text(mail) for mail in mailserver.mails}) == 1
    pass_by()
    assert _told(mailserver.mails[-1]) == "1 new message from bea"
    pass_by()
    assert len(mailserver.mails) == (3 if where == "after" else 2)


def test_a_mail_that_may_have_gone_is_not_repeated_once_it_has_been_read(me, ann, mailserver, live_on, monkeypatch):
    send = SmtpSession.send

    def send_and_die(self, content, recipient, message_id):
        send(self, content, recipient, message_id)
        Message.read(me, ann)
        raise Killed

    monkeypatch.setattr(SmtpSession, "send", send_and_die)
    make_message(ann, me)
    _later()
    line_up(200)
    assert live_on(Task.get()).state == State.SUCCEEDED
    assert len(mailserver.mails) == 1


def test_a_run_that_has_lost_its_task_sends_nothing(me, ann, mailserver, monkeypatch, run_waiting):
    begin = Message.begin_mail

    def begin_and_lose(reader):
        Task.update(fencing_token="another run").execute()
        return begin(reader)

    monkeypatch.setattr(Message, "begin_mail", begin_and_lose)
    make_message(ann, me)
    _later()
    line_up(200)
    run_waiting()
    assert mailserver.mails == []


def test_a_server_that_is_away_is_waited_for_and_then_it_is_one_mail(me, ann, bea, app, mailserver, pass_by):
    app.extensions["mail"].port = free_port()
    make_message(ann, me)
    for _ in range(10):  # more often than one task has attempts
        make_message(bea, me)
        pass_by()
    assert {task.state for task in Task} == {State.FAILED, State.RETRYING}
    app.extensions["mail"].port = mailserver.port
    pass_by()
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["11 new messages from ann and bea"]


def test_a_mail_that_is_put_off_is_sent_later_with_what_came_meanwhile(me, ann, bea, mailserver, pass_by):
    mailserver.answer_to_data = "451 Later, please"
    make_message(ann, me)
    pass_by()
    assert Task.get().state == State.RETRYING
    mailserver.answer_to_data = "250 OK"
    make_message(bea, me)
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["2 new messages from ann and bea"]


def test_a_connection_that_drops_in_the_middle_leaves_the_same_mail_to_be_sent(me, ann, bea, mailserver, pass_by):
    mailserver.answer_to_data = "drop"
    make_message(ann, me)
    pass_by()
    key = Message.get().mail_key
    mailserver.answer_to_data = "250 OK"
    make_message(bea, me)
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["1 new message from ann"]
    assert key in mailserver.mails[0]["Message-ID"]
    pass_by()
    assert [_told(mail) for mail in mailserver.mails][1:] == ["1 new message from bea"]


@pytest.mark.parametrize(("answer", "tries"), [("550 No such person", 1), ("452 Mailbox full", 7)])
def test_an_address_that_takes_no_mail_is_given_up(me, ann, mailserver, pass_by, caplog, answer, tries):
    mailserver.answers["me@example.com"] = answer
    make_message(ann, me)
    for _ in range(tries):
        assert Message.get().mail_due_at
        pass_by()
    assert Message.get().mail_due_at is None
    assert f"User {me.id} is not mailed about messages" in caplog.text
    pass_by()
    assert Task.select().count() == 1


def test_an_error_in_the_program_is_tried_again_after_a_while_and_not_at_once(me, ann, monkeypatch, pass_by):
    monkeypatch.setattr(mail, "render", lambda *_, **__: {}["broken"])
    make_message(ann, me)
    pass_by()
    assert Task.get().state == State.RETRYING


def test_two_who_read_and_mail_at_once_do_not_wait_forever(me, ann, bea, mailserver):
    for _ in range(5):
        for sender in (ann, bea, ann):
            make_message(sender, me)
        _later()
        acts = [lambda: Message.begin_mail(me), lambda: Message.read(me, ann)]
        race(2, lambda acts=acts: acts.pop()())
        key = Message.begin_mail(me)
        assert {message.sender_id for message in Message.of_mail(me, key)} == {bea.id}
        Message.settle_mail(me, key)


def test_what_people_have_started_goes_before_these_mails(declare, me, ann):
    for number in range(3):
        make_message(ann, make_user(email=f"{number}@example.com", hearing={"message": "mail"}))
    _later()
    line_up(200)
    mine = declare(title="Mine")(_nothing).launch(me)
    assert Task.select().count() == 4
    assert Task.claim(timedelta(seconds=15)) == mine


def _nothing(task):
    pass


def test_two_leaders_at_once_start_one_mail_for_each_and_leave_nobody_out(me, ann):
    people = [me, *(make_user(**BY_MAIL) for _ in range(5))]
    for user in people:
        make_message(ann, user)
    Message.update(mail_due_at=utcnow() - AGO).execute()
    assert race(3, lambda: line_up(200)) == [None] * 3
    assert sorted(task.user_id for task in Task.select()) == sorted(user.id for user in people)
