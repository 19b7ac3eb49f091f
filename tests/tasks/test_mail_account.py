"""Mails about accounts: each once, to the address that it was written for."""

import pytest

from tasks.mail_account import line_up_account_mails as line_up
from tests.tasks.conftest import Killed
from webapp.dev.factories import make_user
from webapp.mail import SmtpSession
from webapp.mail.account_mails import ACCOUNT_MAILS, AccountMailKind
from webapp.models import AccountMail, Task, User

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(mailserver, each_database, monkeypatch):
    """The app on each database with a mail server, and a kind that says what the templates of a welcome do."""
    monkeypatch.setattr("webapp.mail.account_mails.render", lambda template, **context: (template, "<p>Hello</p>"))
    monkeypatch.setitem(ACCOUNT_MAILS, "greeting", AccountMailKind("Welcome to {app}"))
    monkeypatch.setitem(ACCOUNT_MAILS, "nothing", AccountMailKind("Nothing", lambda _: None))
    return each_database


@pytest.fixture
def ann(app) -> User:
    return make_user("ann", email="ann@example.com")


def test_each_mail_that_is_due_goes_to_its_own_address_and_once(ann, mailserver, run_tasks):
    AccountMail.put("greeting", "old@example.com", ann)
    AccountMail.put("greeting", "new@example.com", ann)
    line_up(10)
    line_up(10)
    run_tasks()
    assert [mail["To"] for mail in mailserver.mails] == ["old@example.com", "new@example.com"]
    assert mailserver.mails[0]["Message-ID"] != mailserver.mails[1]["Message-ID"]
    line_up(10)
    assert not AccountMail.select().exists()
    assert Task.select().count() == 1


def test_what_need_not_be_said_any_more_is_not_sent(ann, mailserver, run_tasks):
    AccountMail.put("nothing", "ann@example.com", ann)
    line_up(10)
    run_tasks()
    assert not mailserver.mails
    assert not AccountMail.select().exists()


def test_a_run_that_dies_with_a_mail_in_flight_repeats_it_by_its_name(ann, mailserver, live_on, monkeypatch):
    AccountMail.put("greeting", "ann@example.com", ann)
    line_up(10)
    send, calls = SmtpSession.send, []

    def send_and_die_once(*args):
        send(*args)
        calls.append(args)
        if len(calls) == 1:
            raise Killed

    monkeypatch.setattr(SmtpSession, "send", send_and_die_once)
    live_on(Task.get())
    first, second = mailserver.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert not AccountMail.select().exists()
