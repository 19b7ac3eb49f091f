"""Mails about errors: what is logged anywhere as an error comes to the admins, and never too often."""

import logging
import time
from datetime import timedelta

import pytest

from tasks import mail_errors
from tasks.engine.sweeper import Sweeper
from tests.mailserver import MailServer
from tests.tarpit import Tarpit, Trouble
from webapp import error_reporting
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.mail import error_mails
from webapp.mail.error_mails import MOST
from webapp.mail.mail_thread import MailThread
from webapp.models import ErrorReport

ADMINS = ("ops@example.com", "ann@example.com")


@pytest.fixture
def make_reporting(make_app, monkeypatch):
    """A function that makes an app that reports errors; it is silent again after the test."""
    monkeypatch.setattr(mail_errors, "sender", MailThread(error_mails.send_due, "Errors could not be mailed"))
    apps = []

    def make(**changes):
        apps.append(make_app(**{"admins": ADMINS} | changes))
        apps[-1].config["PROPAGATE_EXCEPTIONS"] = False
        return apps[-1]

    yield make
    for collector in error_reporting._collectors():
        collector.stop()
        logging.getLogger().removeHandler(collector)


@pytest.fixture
def app(make_reporting, mailserver):
    return make_reporting()


@pytest.fixture
def mail_now(app):
    """A function that hands on what was logged, and mails what is due, as the sweeper lets a thread do."""

    def mail_now() -> None:
        assert all(collector.hand_on(10) for collector in error_reporting._collectors())
        with app.app_context():
            error_mails.send_due(app.config["SETTINGS"].admins)

    return mail_now


def _text(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def test_an_error_in_a_request_comes_with_its_id_and_without_its_values(app, mailserver, mail_now):
    @app.get("/fails/<name>")
    def fails(name: str) -> str:
        raise ValueError(f"{name} is unknown")

    for name in ("bob", "cyd"):
        answer = app.test_client().get(f"/fails/{name}", headers={"X-Request-ID": f"5d0c-{name[0]}"})
        assert answer.status_code == 500
    mail_now()
    mail_now()
    assert mailserver.recipients == [[admin] for admin in ADMINS]
    mail = mailserver.mails[0]
    assert mail["Subject"].startswith("Errand: ValueError in ")
    assert mail["Auto-Submitted"] == "auto-generated"
    text = _text(mail)
    for words in ("occurred 2 times so far", "request: 5d0c-b", "process: web", "release: ", "test_mail_errors.py:"):
        assert words in text
    assert not [each for each in mailserver.raw if b"bob" in each or b"cyd" in each]


def test_an_error_in_a_task_comes_with_its_id(app, mailserver, mail_now, declare, run_tasks):
    @declare(title="A task of a test")
    def fails(task) -> None:
        {}[task.user.username]

    task = fails.launch(make_user("zoe"))
    run_tasks()
    mail_now()
    text = _text(mailserver.mails[0])
    assert f"task: {task.id}" in text
    assert "task function: fails" in text
    assert "KeyError" in text
    assert "zoe" not in text


def test_an_error_in_the_sweeper_is_mailed_by_its_next_sweep(app, mailserver):
    def fails(_: int) -> None:
        raise OSError(f"the disk of {ADMINS[1]} is full")

    with app.app_context():
        Sweeper(hooks=[fails]).look()
        assert all(collector.hand_on(10) for collector in error_reporting._collectors())
        thread = mail_errors.sender.begin(app)
        thread.join(20)
    assert "The sweep hook %s failed" in _text(mailserver.mails[0])
    assert "ann@example.com is full" not in _text(mailserver.mails[0])


def test_a_kind_is_mailed_again_after_an_hour_with_how_often_since(app, mailserver, mail_now, monkeypatch):
    log = logging.getLogger("webapp.a_test")

    def fail() -> None:
        log.error("It has failed")

    fail()
    mail_now()
    for _ in range(3):
        fail()
    mail_now()
    assert len(mailserver.mails) == 2
    assert timedelta(minutes=59) < ErrorReport.get().due_at - utcnow() <= timedelta(hours=1)
    ErrorReport.update(due_at=utcnow()).execute()
    mail_now()
    assert "occurred 3 times since the last email about it" in _text(mailserver.mails[2])
    assert "In total: 4" in _text(mailserver.mails[2])


def test_there_are_so_many_mails_an_hour_and_one_that_says_so(app, mailserver, mail_now):
    for number in range(MOST + 5):
        logging.getLogger(f"webapp.a_test.{number}").error("It has failed")
    mail_now()
    mail_now()
    subjects = [mail["Subject"] for mail in mailserver.mails[:: len(ADMINS)]]
    assert len(subjects) == MOST + 1
    assert subjects[-1] == "Errand: more errors are in the log"
    assert ErrorReport.select().where(ErrorReport.due_at.is_null(False)).count() == 5, "they are told after the hour"


def test_a_refused_admin_keeps_nothing_from_the_others_and_a_deferred_mail_comes_later(app, mailserver, mail_now):
    mailserver.refused = {ADMINS[0]}
    logging.getLogger("webapp.a_test").error("It has failed")
    mail_now()
    assert mailserver.recipients == [[ADMINS[1]]]
    mailserver.answers = dict.fromkeys(ADMINS, "451 Later")
    mailserver.refused = set()
    logging.getLogger("webapp.a_test").error("It has failed otherwise")
    mail_now()
    assert len(mailserver.mails) == 1
    mailserver.answers = {}
    ErrorReport.update(due_at=ErrorReport.first_at).where(ErrorReport.due_at.is_null(False)).execute()
    mail_now()
    assert len(mailserver.mails) == 3


def test_a_hanging_mail_server_holds_up_no_sweep_and_claims_nothing(make_reporting):
    server = MailServer()
    with Tarpit(server.port, Trouble("BANNER")).running():
        app = make_reporting(mail_server="127.0.0.1", mail_port=server.port)
        app.config["MAIL_TIMEOUT"] = 0.3
        logging.getLogger("webapp.a_test").error("It has failed")
        assert all(collector.hand_on(10) for collector in error_reporting._collectors())
        begun = time.monotonic()
        with app.app_context():
            thread = mail_errors.sender.begin(app)
            assert mail_errors.sender.begin(app) is None, "one at a time"
            assert time.monotonic() - begun < 0.25
        thread.join(20)
        assert mail_errors.sender.begin(app) is None, "a server that is away is asked again after a while"
    assert ErrorReport.next_due().news == 1


def test_without_admins_nothing_is_asked_or_kept(make_reporting, mailserver, queries):
    app = make_reporting(admins=())
    assert error_reporting._collectors() == []
    with app.app_context(), queries() as seen:
        mail_errors.mail_errors(10)
    assert seen.count == 0


def test_an_operator_can_try_it(app, make_reporting, mailserver, mail_now):
    result = app.test_cli_runner().invoke(args=["errors", "test"])
    assert (result.exit_code, ADMINS[0] in result.output) == (0, True)
    mail_now()
    assert "logged on purpose" in _text(mailserver.mails[0])
    assert "process: command" in _text(mailserver.mails[0])
    result = make_reporting(admins=()).test_cli_runner().invoke(args=["errors", "test"])
    assert result.exit_code == 1
    assert "ADMINS" in result.output
