"""Mails about tasks and messages: six an hour for each person; what comes beyond is told in one digest, once."""

from datetime import timedelta

import pytest

from tasks.export_posts import export_posts
from tasks.mail_digest import line_up_digests, mail_digest
from tasks.mail_messages import line_up_messages
from tasks.mail_task_outcome import AT_MOST_EVERY, line_up_outcomes, mail_task_outcome
from tests.tasks.conftest import Killed
from webapp.dev.factories import make_message, make_post, make_task, make_user
from webapp.lib.times import utcnow
from webapp.mail import SmtpSession
from webapp.models import Artifact, Message, NoticeCount, OutcomeMail, State, Task, User
from webapp.models.notice_count import MOST_AN_HOUR, WINDOW

BY_MAIL = {"email": "ann@example.com", "mail_after": 0, "hearing": dict.fromkeys(("message", "succeeded"), "mail")}

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(mailserver, make_app):
    """The app, and a mail server that it sends by."""
    return make_app()


@pytest.fixture
def ann(app) -> User:
    """Somebody who wants mail about everything."""
    return make_user("ann", **BY_MAIL)


@pytest.fixture
def pass_by(run_waiting):
    """A function that lets a minute pass, and the site do what is then to be done."""

    def pass_by() -> None:
        ours = Task.name.in_([mail_task_outcome.name, mail_digest.name])
        Task.update(finished_at=utcnow() - 2 * AT_MOST_EVERY).where(ours, Task.finished_at.is_null(False)).execute()
        Message.update(mail_due_at=utcnow() - AT_MOST_EVERY).where(Message.mail_due_at.is_null(False)).execute()
        Task.update(run_at=utcnow()).where(Task.run_at.is_null(False)).execute()
        for task in Task.due(10):
            task.enqueue()
        for line_up in (line_up_outcomes, line_up_messages, line_up_digests):
            line_up(200)
        run_waiting()

    return pass_by


def _ended(user: User, title: str) -> Task:
    task = make_task(State.IN_PROGRESS, user, title=title, run_seconds=90)
    Task.update(started_at=task.updated_at).where(Task.id == task.id).execute()
    task.started_at = task.updated_at
    task.succeed()
    return task


def _an_hour_later() -> None:
    NoticeCount.update(until=utcnow() - timedelta(seconds=1)).execute()


@pytest.fixture
def filled(ann, mailserver, pass_by):
    """Ann has got as many mails as there are in an hour."""
    for number in range(MOST_AN_HOUR):
        _ended(ann, f"Early {number}")
        pass_by()
    assert len(mailserver.mails) == MOST_AN_HOUR
    mailserver.mails.clear()


def _text(mail, kind: str = "plain") -> str:
    return mail.get_body((kind,)).get_content()


def _count() -> int:
    return NoticeCount.get().number


def test_after_six_mails_in_an_hour_the_rest_comes_in_one(ann, filled, mailserver, pass_by):
    tasks = [_ended(ann, f"Late {number}") for number in range(14)]
    for number in range(3):
        make_message(make_user(f"p{number}"), ann, "Hello <there>")
        pass_by()
    assert mailserver.mails == []
    _an_hour_later()
    pass_by()
    [mail] = mailserver.mails
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "14 tasks ended, 3 new messages")
    for kind in ("plain", "html"):
        said = _text(mail, kind)
        assert all(f"http://localhost/tasks/{task.id}" in said for task in tasks)
        assert "3 new messages from p0, p1 and p2" in said
        assert "http://localhost/messages/p2" in said
    assert "Hello &lt;there&gt;" in _text(mail, "html")
    pass_by()
    assert len(mailserver.mails) == 1, "once"
    assert not OutcomeMail.select().exists()
    _ended(ann, "Another")
    pass_by()
    assert (mailserver.mails[-1]["Subject"], _count()) == ("A task has finished", 2), "it is the first of an hour"


def test_both_kinds_are_counted_together_and_for_each_person_alone(ann, mailserver, pass_by):
    bob = make_user("bob", **BY_MAIL | {"email": "bob@example.com"})
    for number in range(MOST_AN_HOUR):
        _ended(ann, "One") if number % 2 else make_message(bob, ann)
        pass_by()
    _ended(ann, "Too much")
    make_message(ann, bob)
    pass_by()
    told = [mail["To"] for mail in mailserver.mails]
    assert (told.count("ann@example.com"), told.count("bob@example.com")) == (MOST_AN_HOUR, 1)


def test_a_digest_of_one_kind_says_that_alone_and_one_of_nothing_is_not_sent(ann, filled, mailserver, pass_by):
    sender = make_user("bob")
    make_message(sender, ann)
    _an_hour_later()
    pass_by()
    assert [mail["Subject"] for mail in mailserver.mails] == ["You have 1 new message"]
    NoticeCount.update(number=MOST_AN_HOUR).execute()
    _an_hour_later()
    pass_by()
    assert (len(mailserver.mails), NoticeCount.select().count()) == (1, 0)


def test_very_many_tasks_are_counted_and_some_are_listed(ann, filled, mailserver, pass_by, monkeypatch):
    monkeypatch.setattr("tasks.mail_task_outcome.MOST_IN_ONE", 30)
    for number in range(45):
        task = make_task(State.SUCCEEDED, ann, title=f"Late {number}")
        OutcomeMail.create(user=ann, task=task, ended_at=task.finished_at)
    _an_hour_later()
    pass_by()
    [mail] = mailserver.mails
    assert mail["Subject"] == "45 tasks finished"
    assert "And 25 more" in _text(mail)


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_digest_that_may_have_gone_is_repeated_by_its_name_and_nothing_is_added(
    ann, filled, mailserver, live_on, monkeypatch, pass_by, where
):
    send, calls = SmtpSession.send, []

    def send_or_die(self, content, recipient, message_id):
        calls.append(message_id)
        if len(calls) == 1:
            if where == "after":
                send(self, content, recipient, message_id)
            _ended(ann, "Ended meanwhile")
            raise Killed
        send(self, content, recipient, message_id)

    _ended(ann, "In flight")
    make_message(make_user("bob"), ann)
    Message.update(mail_due_at=utcnow() - AT_MOST_EVERY).execute()
    _an_hour_later()
    line_up_digests(200)
    monkeypatch.setattr(SmtpSession, "send", send_or_die)
    assert live_on(Task.get(Task.name == mail_digest.name, Task.state == State.PENDING)).state == State.SUCCEEDED
    assert len(mailserver.mails) == (2 if where == "after" else 1)
    assert {mail["Subject"] for mail in mailserver.mails} == {"1 task ended, 1 new message"}
    assert len({mail["Message-ID"] for mail in mailserver.mails}) == 1
    pass_by()
    assert mailserver.mails[-1]["Subject"] == "A task has finished"
    assert "Ended meanwhile" in _text(mailserver.mails[-1])


def test_while_a_digest_is_in_flight_no_other_mail_takes_a_part_of_it(ann, filled, mailserver, pass_by):
    _ended(ann, "In flight")
    _an_hour_later()
    mailserver.answer_to_data = "drop"
    pass_by()
    key = NoticeCount.get().digest_key
    assert key
    mail_task_outcome.launch(ann)
    pass_by()
    assert OutcomeMail.get().mail_key == key
    mailserver.answer_to_data = "250 OK"
    pass_by()
    assert [key in mail["Message-ID"] for mail in mailserver.mails] == [True]


def test_a_mail_that_was_put_off_or_had_nothing_to_tell_is_not_counted(ann, mailserver, pass_by):
    mailserver.answer_to_data = "451 Later, please"
    for _ in range(3):
        _ended(ann, "A task")
        pass_by()
    assert _count() == 0
    mailserver.answer_to_data = "250 OK"
    pass_by()
    assert ([mail["Subject"] for mail in mailserver.mails], _count()) == (["3 tasks finished"], 1)
    make_message(bob := make_user("bob"), ann)
    User.update(hearing={"message": "mail"}).execute()
    line_up_messages(200)
    Message.read(ann, bob)
    pass_by()
    assert _count() == 1


def test_the_window_ends_by_itself(each_database):
    ann = make_user("ann")
    taken = [NoticeCount.take(ann) for _ in range(MOST_AN_HOUR - 1)]
    _an_hour_later()
    assert NoticeCount.take(ann)
    count = NoticeCount.get()
    assert (all(taken), count.number) == (True, 1)
    assert timedelta(0) <= utcnow() + WINDOW - count.until < timedelta(seconds=10)
    assert [NoticeCount.take(ann) for _ in range(MOST_AN_HOUR)] == [True] * (MOST_AN_HOUR - 1) + [False]
    NoticeCount.give_back(ann)
    assert [NoticeCount.take(ann), NoticeCount.take(ann)] == [True, False]
    assert NoticeCount.purge(10) == 0


def test_who_has_no_address_any_more_gets_no_digest_and_nothing_is_kept(ann, filled, mailserver, pass_by):
    _ended(ann, "Late")
    User.update(email="").execute()
    _an_hour_later()
    pass_by()
    assert (mailserver.mails, OutcomeMail.select().count(), NoticeCount.select().count()) == ([], 0, 0)


def test_an_export_beyond_six_mails_is_kept_here_and_says_so(app, mailserver, run_tasks):
    user = make_user("ann", email="ann@example.com")
    make_post(user)
    exports = []
    for _ in range(MOST_AN_HOUR + 1):
        exports.append(export_posts.launch(user))
        run_tasks()
    assert len(mailserver.mails) == MOST_AN_HOUR
    last = exports[-1].reload()
    assert (last.state, last.title) == (State.SUCCEEDED, "Export posts as JSON, not emailed")
    assert any("we’ve sent you 6 emails within the hour" in event.text for event in last.timeline())
    assert len(Artifact.completed([last])[last]) == 1
