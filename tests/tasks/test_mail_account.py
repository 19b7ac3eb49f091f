"""Mails about accounts: each once, to the address that it was written for."""

import pytest

from tasks.mail_account import line_up_account_mails as line_up
from tests.tasks.conftest import Killed
from webapp.dev.factories import make_user
from webapp.lib.phrases import phrase
from webapp.lib.times import utcnow
from webapp.mail import MailError, SmtpSession
from webapp.mail.account_mails import ACCOUNT_MAILS, AccountMailKind
from webapp.models import AccountMail, RateCount, Task, User
from webapp.models.account_mail import MOST_TOLD, TRIES_FIRST

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


@pytest.fixture
def pass_by(run_tasks):
    """A function that does what a sweeper and a worker do when they next come by, and what is to be tried again."""

    def pass_by() -> None:
        line_up(10)
        Task.update(run_at=utcnow()).where(Task.run_at.is_null(False)).execute()
        for due in Task.due(10):
            due.enqueue()
        run_tasks()

    return pass_by


def test_an_address_that_is_put_off_holds_up_no_other_mail(ann, mailserver, pass_by):
    mailserver.answers["typo@example.com"] = "450 Domain not found"
    AccountMail.put("greeting", "typo@example.com", ann)
    AccountMail.put("greeting", "ann@example.com", ann)
    pass_by()
    assert not mailserver.mails
    pass_by()
    assert [mail["To"] for mail in mailserver.mails] == ["ann@example.com"]
    mailserver.answers.clear()
    pass_by()
    assert [mail["To"] for mail in mailserver.mails] == ["ann@example.com", "typo@example.com"]
    assert not AccountMail.select().exists()


def test_a_mail_at_which_the_server_always_hangs_up_lets_the_others_pass_after_some_tries(ann, mailserver, pass_by):
    mailserver.answers_to_data["odd@example.com"] = "drop"
    AccountMail.put("greeting", "odd@example.com", ann)
    AccountMail.put("greeting", "ann@example.com", ann)
    for _ in range(TRIES_FIRST):
        pass_by()
        assert not mailserver.mails, "it may have arrived, so it is the first to be tried again"
    key = AccountMail.get(AccountMail.address == "odd@example.com").mail_key
    pass_by()
    assert [mail["To"] for mail in mailserver.mails] == ["ann@example.com"]
    mailserver.answers_to_data.clear()
    pass_by()
    assert [mail["To"] for mail in mailserver.mails] == ["ann@example.com", "odd@example.com"]
    assert key in mailserver.mails[-1]["Message-ID"], "by the same name"


def test_a_kind_that_only_a_later_release_has_waits_for_its_worker_and_holds_up_no_other(
    ann, mailserver, pass_by, monkeypatch, caplog
):
    AccountMail.put("of_a_later_release", "ann@example.com", ann)
    AccountMail.put("greeting", "ann@example.com", ann)
    pass_by()
    pass_by()
    assert [mail["Subject"] for mail in mailserver.mails] == ["Welcome to Errand"]
    assert not caplog.records, "that is no error, of which admins are to be told"
    monkeypatch.setitem(ACCOUNT_MAILS, "of_a_later_release", AccountMailKind("Later"))
    pass_by()
    assert [mail["Subject"] for mail in mailserver.mails] == ["Welcome to Errand", "Later"]


def test_the_mail_server_is_asked_once_for_each_mail(ann, mailserver, pass_by):
    AccountMail.put("greeting", "ann@example.com", ann)
    pass_by()
    assert mailserver.connections == 1


def test_a_mail_server_that_hangs_holds_up_one_and_not_all(ann, mailserver, pass_by, monkeypatch):
    """They go before what people have started, so these would wait for each of them."""
    bea, make_ready, asked = make_user("bea"), SmtpSession.make_ready, []

    def hang(session):
        asked.append(session)
        raise MailError(phrase("test.silent", "it is silent.")(), may_retry=True, connection_lost=True, timed_out=True)

    monkeypatch.setattr(SmtpSession, "make_ready", hang)
    for user in (ann, bea):
        AccountMail.put("greeting", f"{user.username}@example.com", user)
    pass_by()
    assert len(asked) == 1
    monkeypatch.setattr(SmtpSession, "make_ready", make_ready)
    RateCount.update(until=0).execute()  # a minute later
    pass_by()
    assert sorted(mail["To"] for mail in mailserver.mails) == ["ann@example.com", "bea@example.com"]


def test_of_many_mails_of_a_kind_in_an_hour_the_first_few_are_sent(ann):
    for _ in range(MOST_TOLD + 1):
        AccountMail.tell(ann, "greeting")
    AccountMail.tell(ann, "nothing")
    AccountMail.tell(make_user("bea"), "greeting")
    kinds = [mail.kind for mail in AccountMail.select().order_by(AccountMail.id)]
    assert kinds == ["greeting"] * MOST_TOLD + ["nothing"]
