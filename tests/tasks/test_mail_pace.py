"""The pace of mail to many: a mail server that asks for less gets less, from all processes, and more by and by."""

import smtplib
import time

import pytest

from tasks.send_mail import submit
from webapp.dev.factories import make_draft, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.mail import budget, pace
from webapp.mail.failures import MailError, as_mail_error
from webapp.models import Delivery, MailPace, RateCount, State, Task, mail_pace, quotas
from webapp.models.mailing.delivery import Sending

PEOPLE = [f"p{number}@example.com" for number in range(6)]

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    monkeypatch.setattr(pace, "_known", pace._Known())


def _ago(seconds: float) -> None:
    """Let so much time pass."""
    MailPace.update(changed_at=MailPace.changed_at - seconds, next_at=MailPace.next_at - seconds).execute()


def _raised(code: int, said: bytes) -> MailError:
    with pytest.raises(MailError) as caught, as_mail_error("ann@example.com"):
        raise smtplib.SMTPRecipientsRefused({"ann@example.com": (code, said)})
    return caught.value


@pytest.mark.parametrize(
    ("code", "said", "is_throttling"),
    [
        (421, b"Service not available", True),
        (450, b"4.7.1 Too many mails", True),
        (451, b"4.7.500 Server busy", True),
        (452, b"4.5.3 Too many recipients", True),
        (451, b"4.3.2 Please slow down", True),
        (450, b"4.7.1 Greylisted, come back in 5 minutes", False),
        (450, b"4.2.1 Mailbox busy", False),
        (452, b"4.2.2 Mailbox full", False),
        (451, b"Later, please", False),
        (550, b"5.7.1 Refused", False),
    ],
)
def test_what_asks_for_less_and_what_is_about_one_person(app, code, said, is_throttling):
    assert pace.heard(_raised(code, said)) is is_throttling
    assert MailPace.select().exists() is is_throttling


def test_the_rate_is_halved_once_for_what_comes_together_and_rises_by_the_minute(each_database):
    rates = []
    for seconds in (0, 1, 10, 3600, 60):
        if rates:
            _ago(seconds)
        if seconds != 60:
            MailPace.slow_down()
        rates.append(round(MailPace.get().rate, 1))
    assert rates == [30, 30.2, 15.9, 30, 40]
    for _ in range(9):
        _ago(10)
        MailPace.slow_down()
    assert mail_pace.SLOWEST <= MailPace.get().rate < 5
    _ago(3600)
    assert MailPace.current() is None, "no limit any more"


def test_a_minute_has_as_many_turns_as_the_rate_says_for_all_processes(each_database):
    MailPace.slow_down()
    assert MailPace.current().take_turn() > 0
    _ago(60)
    turns = [MailPace.current().take_turn() for _ in range(60)]
    assert 34 <= turns.count(0.0) <= 43, "at 40 a minute by now, and none for the hours before"
    assert 0 < max(turns) <= 60


def test_the_pace_is_read_once_a_second(app, queries):
    with queries() as seen:
        for _ in range(50):
            assert pace.seconds_to_wait() == 0
    assert seen.count <= 2


@pytest.fixture
def task(mailserver, app) -> Task:
    """A mail to six people."""
    return submit(make_draft(make_user("ann", email="ann@example.com")), PEOPLE, 5000)


def _states() -> list[str]:
    return [delivery.state for delivery in Delivery.select().order_by(Delivery.id)]


def _counted() -> int:
    found = RateCount.find(budget.NAME)
    return found.number if found else 0


def _go_on(task: Task, run_waiting) -> None:
    Task.update(run_at=utcnow()).execute()
    assert task.reload().enqueue()
    run_waiting()
    task.reload()


def test_mail_to_many_slows_down_in_words_and_gives_its_worker_back(task, mailserver, run_waiting):
    quotas.configure({**UNLIMITED, Quota.SITE_MAILS: Most(1000, 1000)})
    mailserver.answers[PEOPLE[2]] = "450 4.7.1 Too many mails"
    begun = time.monotonic()
    run_waiting()
    task.reload()
    assert time.monotonic() - begun < 30, "it holds no worker while it waits"
    assert (task.state, task.attempts) == (State.RETRYING, 0)
    assert task.error_words() == "The mail server asks us to slow down: sending about 30 a minute."
    assert _states() == [Sending.SENT, Sending.SENT, Sending.WAITING, *[Sending.WAITING] * 3]
    assert (task.run_at - utcnow()).total_seconds() > 30
    assert _counted() in {2, 3}, "what was counted ahead for the others is given back"
    mailserver.answers.clear()
    _ago(60)
    _go_on(task, run_waiting)
    assert task.state == State.RETRYING, "the one that was deferred is for the next round"
    _go_on(task, run_waiting)
    assert (task.state, _states()) == (State.SUCCEEDED, [Sending.SENT] * 6)
    assert sorted(mail["To"] for mail in mailserver.mails) == PEOPLE, "each once"


def test_a_server_that_hangs_up_for_that_is_left_alone_for_a_while(task, mailserver, run_waiting):
    mailserver.answers[PEOPLE[1]] = "421 4.7.0 Too much for now"
    run_waiting()
    assert MailPace.select().exists()
    assert (task.reload().state, Delivery.select().where(Delivery.state == Sending.SENT).count()) == (State.RETRYING, 1)
    assert task.attempts == 0
