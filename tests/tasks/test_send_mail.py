"""Sending one mail to many, by a real SMTP server on its good days and its bad ones."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks import send_mail as module
from tasks.engine import executor
from tasks.engine.models.state import ACTIVE, FINISHED
from tasks.engine.run import Run
from tasks.engine.stop_flag import StopRequested
from tasks.send_mail import submit
from tests.processes import free_port
from tests.racing import elsewhere
from tests.tasks.conftest import Killed
from webapp.db.commit_hooks import CommitHooks
from webapp.dev.factories import make_draft, make_mailing_file, make_task, make_user
from webapp.lib.times import utcnow
from webapp.mail import SmtpSession, mailings, smtp, templates
from webapp.models import Artifact, Delivery, State, Task, User
from webapp.models.mailing.delivery import Sending

PEOPLE = [f"p{number}@example.com" for number in range(6)]

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def post(mailserver, app):
    """A function that sends a mail to these people; returns its task."""

    def post(addresses=PEOPLE, user: User | None = None, files=(), **fields) -> Task:
        draft = make_draft(user or make_user("ann", email="ann@example.com"), **fields)
        if not draft.user.email:
            _confirm_address(draft.user)
        for name, data in files:
            make_mailing_file(draft, name, data, content_type="application/octet-stream")
        return submit(draft, list(addresses), 5000)

    return post


def _confirm_address(user: User) -> None:
    known = {"email": "ann@example.com", "email_confirmed_at": utcnow()}
    User.update(known).where(User.id == user.id).execute()
    user.__data__.update(known)


def _go_on(task: Task) -> Task:
    """Let the next attempt begin now."""
    Task.update(run_at=utcnow()).where(Task.id == task.id).execute()
    assert task.reload().enqueue()
    assert executor.execute_next()
    return task.reload()


def _perform(task: Task) -> Task:
    assert executor.execute_next()
    return task.reload()


def _states() -> list[str]:
    return [delivery.state for delivery in Delivery.select().order_by(Delivery.id)]


def _listed(task: Task) -> list[list[str]]:
    [artifact] = Artifact.completed([task])[task]
    assert artifact.name == "not-delivered.csv"
    return list(csv.reader(io.StringIO(artifact.read().decode(), newline="")))


def _said(task: Task) -> list[str]:
    return [event.text for event in task.timeline()]


def test_each_gets_one_mail_of_their_own(post, mailserver):
    task = _perform(post(subject="Grüße 👋"))
    assert mailserver.recipients == [[address] for address in PEOPLE]
    assert {mail["Subject"] for mail in mailserver.mails} == {"Grüße 👋"}
    assert [mail["To"] for mail in mailserver.mails] == PEOPLE
    assert {mail["Reply-To"] for mail in mailserver.mails} == {"ann@example.com"}
    assert len({mail["Message-ID"] for mail in mailserver.mails}) == 6
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 6, 6)
    assert task.title == "Email to 6 people: Grüße 👋"
    assert "6 sent" in _said(task)
    assert _states() == [Sending.SENT] * 6
    assert Artifact.select().count() == 0


def test_they_all_go_by_one_connection(post, mailserver):
    _perform(post())
    assert mailserver.connections == 1


def test_files_arrive_byte_for_byte_with_their_names_and_the_logo_is_in_the_html(post, mailserver):
    files = [('a"b;ü 名.bin', bytes(range(256)) * 40), ("empty.txt", b""), ("notes.txt", b"\r\nfoo\n.\nbar")]
    _perform(post(["bea@example.com"], files=files, template="welcome"))
    [mail] = mailserver.mails
    got = [(part.get_filename(), part.get_payload(decode=True)) for part in mail.iter_attachments()]
    assert got == files
    html = mail.get_body(("html",)).get_content()
    assert 'src="cid:logo"' in html
    [logo] = [part for part in mail.walk() if part["Content-ID"] == "<logo>"]
    assert (logo.get_content_type(), logo.get_content_disposition()) == ("image/png", "inline")
    assert logo.get_payload(decode=True).startswith(b"\x89PNG")
    assert "Welcome to Errand" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("where", ["before", "after"])
def test_who_is_killed_in_the_middle_repeats_one_mail_at_most(post, mailserver, live_on, monkeypatch, where):
    send, calls = SmtpSession.send, []

    def send_or_die(self, content, recipient, message_id):
        calls.append(recipient)
        if len(calls) == 3 and where == "before":
            raise Killed
        send(self, content, recipient, message_id)
        if len(calls) == 3 and where == "after":
            raise Killed

    monkeypatch.setattr(SmtpSession, "send", send_or_die)
    task = live_on(post())
    assert task.state == State.SUCCEEDED
    got = [recipient for [recipient] in mailserver.recipients]
    assert sorted(set(got)) == PEOPLE
    again = [address for address in PEOPLE if got.count(address) > 1]
    assert again == ([] if where == "before" else [PEOPLE[2]])
    ids = {mail["Message-ID"] for mail in mailserver.mails if mail["To"] == PEOPLE[2]}
    assert len(ids) == 1, "so that a receiver knows it for the same"
    assert (task.done, task.total) == (6, 6)


def test_who_is_being_mailed_is_on_record_before(post, monkeypatch):
    seen = []
    monkeypatch.setattr(SmtpSession, "send", lambda *_: seen.append(_states()))
    _perform(post(PEOPLE[:2]))
    assert seen == [["sending", "waiting"], ["sent", "sending"]]


def test_what_is_refused_for_good_is_listed_and_the_others_get_it(post, mailserver):
    mailserver.refused |= {PEOPLE[1], PEOPLE[4]}
    mailserver.answers_to_data[PEOPLE[3]] = "554 Not wanted"
    task = _perform(post())
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 6, 6)
    assert _listed(task) == [
        ["address", "reason"],
        [PEOPLE[1], f"The mail server refused the address {PEOPLE[1]}."],
        [PEOPLE[3], "The mail server refused it (code 554)."],
        [PEOPLE[4], f"The mail server refused the address {PEOPLE[4]}."],
    ]
    assert "3 sent, 3 refused" in _said(task)


def test_what_is_put_off_is_tried_again_and_nobody_gets_it_twice(post, mailserver):
    mailserver.answers[PEOPLE[1]] = "450 Later, please"
    mailserver.answers_to_data[PEOPLE[2]] = "drop"
    task = _perform(post())
    assert (task.state, task.done, task.total) == (State.RETRYING, 4, 6)
    assert task.error == "4 of 6 sent. The mail server deferred 2."
    assert len(mailserver.mails) == 4
    mailserver.answers_to_data.clear()
    assert _go_on(task).state == State.RETRYING
    assert task.error == "5 of 6 sent. The mail server deferred 1."
    mailserver.answers.clear()
    assert (_go_on(task).state, task.done, task.total) == (State.SUCCEEDED, 6, 6)
    assert sorted(recipient for [recipient] in mailserver.recipients) == PEOPLE
    assert Delivery.get(Delivery.address == PEOPLE[1]).tries == 3
    assert "6 sent" in _said(task)


def test_what_is_put_off_each_time_is_listed_in_the_end(post, mailserver):
    mailserver.answers[PEOPLE[5]] = "450 Later, please"
    task = _perform(post())
    while task.state == State.RETRYING:
        _go_on(task)
    assert (task.state, task.attempts) == (State.SUCCEEDED, 7)
    assert [address for address, _ in _listed(task)] == ["address", PEOPLE[5]]
    assert "5 sent, 1 failed" in _said(task)
    assert Delivery.get(Delivery.address == PEOPLE[5]).tries == 7


def test_a_mail_that_nobody_answers_is_left_in_time_and_the_others_are_sent(app, post, mailserver):
    app.config["MAIL_TIMEOUT"] = 5.0
    mailserver.silent_for.add(PEOPLE[0])
    task = _perform(post())
    assert (task.state, len(mailserver.mails)) == (State.RETRYING, 5)
    mailserver.silent_for.clear()
    assert _go_on(task).state == State.SUCCEEDED
    assert len(mailserver.mails) == 6


def test_a_connection_that_drops_between_two_mails_is_opened_again(post, mailserver, monkeypatch):
    mailserver.drops_after = 2
    monkeypatch.setattr(module, "MOST_DROPS", 1)
    task = _perform(post())
    assert (task.state, len(mailserver.mails)) == (State.SUCCEEDED, 6)
    assert mailserver.connections == 3


def test_a_server_that_goes_away_between_two_mails_has_heard_nothing_of_the_second(post, mailserver, monkeypatch):
    mailserver.drops_after = 2
    opened, reopen = [], SmtpSession._reopen

    def open_once(self):
        opened.append(self)
        if len(opened) > 1:
            raise ConnectionRefusedError
        reopen(self)

    monkeypatch.setattr(SmtpSession, "_reopen", open_once)
    task = _perform(post())
    assert (task.state, task.done) == (State.RETRYING, 2)
    assert task.error == "The mail server could not be reached. 2 of 6 sent."
    assert _states() == [Sending.SENT] * 2 + [Sending.WAITING] * 4
    monkeypatch.setattr(SmtpSession, "_reopen", reopen)
    mailserver.drops_after = None
    assert _go_on(task).state == State.SUCCEEDED
    assert [recipient for [recipient] in mailserver.recipients] == PEOPLE


def test_each_mail_costs_one_commit(post, mailserver, checkpoints, monkeypatch):
    checkpoints(hold=60, every=60)
    monkeypatch.setattr(smtp, "LISTENS_FOR", 60.0)
    numbers, commits, commit = [], [], CommitHooks.commit
    monkeypatch.setattr(CommitHooks, "commit", lambda db: commits.append(db) or commit(db))
    for people in (5, 15):
        task = post([f"p{number}@example.com" for number in range(people)], make_user())
        commits.clear()
        assert _perform(task).state == State.SUCCEEDED
        numbers.append(len(commits))
    assert numbers[1] - numbers[0] == 10, "what came of one is saved as the next is begun"


def test_a_server_that_is_away_is_waited_for(make_app, post, mailserver, settings):
    task = post()
    make_app(mail_port=free_port())
    assert _perform(task).state == State.RETRYING
    assert task.error == "The mail server could not be reached. 0 of 6 sent."
    assert task.error_phrase["reason"] == {"phrase": "mail.not_reached"}
    assert _states() == [Sending.WAITING] * 6
    make_app()
    assert _go_on(task).state == State.SUCCEEDED
    assert len(mailserver.mails) == 6


def test_a_server_that_drops_everybody_is_not_asked_about_everybody(post, mailserver):
    mailserver.answer_to_data = "drop"
    task = _perform(post())
    assert task.state == State.RETRYING
    assert "0 of 6 sent" in task.error
    mailserver.answer_to_data = "250 OK"
    assert _go_on(task).state in (State.RETRYING, State.SUCCEEDED)
    while task.state == State.RETRYING:
        _go_on(task)
    assert sorted(recipient for [recipient] in mailserver.recipients) == PEOPLE


def test_without_a_mail_server_the_task_fails_in_words(make_app, post):
    task = post()
    make_app(mail_server=None)
    assert _perform(task).state == State.FAILED
    assert "no mail server" in task.error


@pytest.mark.parametrize(("ask", "state"), [(Task.pause, State.PAUSED), (Task.cancel, State.CANCELED)])
def test_it_stops_between_two_people_and_goes_on_with_the_next(post, mailserver, monkeypatch, ask, state):
    runs, init, send = [], Run.__init__, SmtpSession.send

    def remember(run, *args):
        runs.append(run)
        init(run, *args)

    def send_and_ask(self, content, recipient, message_id):
        send(self, content, recipient, message_id)
        if recipient == PEOPLE[2]:
            elsewhere(lambda: ask(Task.get()))
            runs[0].ask_to_stop(StopRequested)

    monkeypatch.setattr(Run, "__init__", remember)
    monkeypatch.setattr(SmtpSession, "send", send_and_ask)
    task = _perform(post())
    assert (task.state, len(mailserver.mails)) == (state, 3)
    task.resume() if state == State.PAUSED else task.retry()
    assert _perform(task).state == State.SUCCEEDED
    assert [recipient for [recipient] in mailserver.recipients] == PEOPLE


# What it says


def test_the_latest_finished_are_five_the_newest_first(post, mailserver):
    user, this_minute = make_user("ann"), utcnow()
    for number in range(7):
        make_task(State.SUCCEEDED, user, title=f"Task <{number}>", finished_at=this_minute.replace(second=number))
    late = this_minute.replace(second=30)
    make_task(
        State.FAILED, user, title="Failed long after it began", created_at=late - timedelta(days=999), finished_at=late
    )
    make_task(State.CANCELED, user, title="Canceled", finished_at=late)
    make_task(State.IN_PROGRESS, user, title="Running")
    make_task(State.SUCCEEDED, make_user("bob"), title="Bob's")
    _perform(post(["bea@example.com"], user, template="latest_finished"))
    text = mailserver.mails[0].get_body(("plain",)).get_content()
    places = [text.index(title) for title in ("Failed long", *(f"Task <{number}>" for number in (6, 5, 4, 3)))]
    assert places == sorted(places)
    assert not any(words in text for words in ("Task <2>", "Canceled", "Running", "Bob's", "Mail to", " more."))
    assert "Task &lt;6&gt;" in mailserver.mails[0].get_body(("html",)).get_content()


def test_those_in_progress_are_all_that_are_unfinished_the_oldest_first_without_the_mail_itself(post, mailserver):
    user = make_user("ann", time_zone="Asia/Seoul")
    for number, state in enumerate(State):
        make_task(state, user, title=f"It is {state}", created_at=utcnow() - number * timedelta(days=365))
    make_task(State.IN_PROGRESS, make_user(), title="Bob's")
    mail = post(["bea@example.com"], user, template="in_progress")
    Task.update(queue_key=None).where(Task.id != mail.id).execute()  # nobody takes the others meanwhile
    _perform(mail)
    for kind in ("plain", "html"):
        text = mailserver.mails[0].get_body((kind,)).get_content()
        places = [text.index(f"It is {state}") for state in reversed(State) if state in ACTIVE]
        assert places == sorted(places)
        assert not any(f"It is {state}" in text for state in FINISHED)
        assert not any(words in text for words in ("Bob's", "Mail to", " more."))
        assert "All times are in Asia/Seoul." in text


def test_a_mail_lists_so_many_tasks_and_says_how_many_more_there_are(post, mailserver, monkeypatch):
    monkeypatch.setattr(mailings, "MOST_LISTED", 3)
    monkeypatch.setitem(templates.TEMPLATES, "all_tasks", replace(templates.TEMPLATES["all_tasks"], most=3))
    user = make_user("ann")
    for number in range(5):
        make_task(State.SUCCEEDED, user, title=f"Task {number}")
    _perform(post(["bea@example.com"], user, template="all_tasks"))
    for kind in ("plain", "html"):
        text = mailserver.mails[0].get_body((kind,)).get_content()
        assert sum(f"Task {number}" in text for number in range(5)) == 3
        assert "And 2 more." in text


def test_everybody_gets_the_same_however_often_it_was_interrupted(post, mailserver, live_on, monkeypatch):
    user, calls, send = make_user("ann"), [], SmtpSession.send

    def send_or_die(self, *given):
        calls.append(given)
        if len(calls) == 2:
            make_task(State.SUCCEEDED, user, title="Made meanwhile")
            raise Killed
        send(self, *given)

    monkeypatch.setattr(SmtpSession, "send", send_or_die)
    live_on(post(PEOPLE[:3], user, template="all_tasks"))
    said = [mail.get_body(("html",)).get_content() for mail in mailserver.mails]
    assert len({re.sub('/unsubscribe/[^"]+', "", html) for html in said}) == 1
