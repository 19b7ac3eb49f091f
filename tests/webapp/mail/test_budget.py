"""The site's budget of mails a day: every mail counts, a tenth is reserved, and whoever has to wait loses nothing."""

import pytest

from tasks.engine import executor
from tasks.engine.stop_flag import MakingWay, ShuttingDown, StopRequested
from tasks.export_posts import export_posts
from tasks.mail_account import line_up_account_mails
from tasks.mail_task_outcome import line_up_outcomes
from tasks.send_mail import submit
from webapp.dev.factories import make_draft, make_post, make_task, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.mail import BudgetUsedUp, OutgoingMail, SmtpSession, budget
from webapp.models import AccountMail, Artifact, Delivery, NoticeCount, OutcomeMail, RateCount, State, Task, quotas
from webapp.models.mailing.delivery import Sending


def _quotas(most: int | None):
    return {**UNLIMITED, Quota.SITE_MAILS: Most(most, most)}


@pytest.fixture
def app(mailserver, make_app, configure):
    """A site that may send ten mails a day, of which one is reserved."""
    configure(heartbeat=False)
    return make_app(quotas=_quotas(10))


def _used() -> int:
    found = RateCount.find(budget.NAME)
    return found.number if found else 0


def _used_up() -> None:
    RateCount.add(budget.NAME, 3600, 9 - _used())


def test_the_budget_is_counted_in_blocks_and_the_last_one_may_be_smaller(app):
    assert (budget.take(4), budget.take(7)) == (4, 5)
    with pytest.raises(BudgetUsedUp) as refused:
        budget.take()
    assert 0 < refused.value.after <= budget.LOOKED_AT_EVERY
    assert refused.value.may_retry
    assert "its limit of emails for today. It goes on in 24 hours." in str(refused.value)
    assert (budget.take(5, is_reserved=True), _used()) == (1, 10)
    with pytest.raises(BudgetUsedUp):
        budget.take(is_reserved=True)
    budget.give_back(3)
    assert budget.take() == 1


def test_without_a_budget_nothing_is_counted(app, queries):
    quotas.configure(UNLIMITED)
    with queries() as seen:
        assert budget.take(1000) == 1000
        budget.give_back(1)
        budget.tell_operator()
    assert seen.count == 0


def test_every_mail_of_a_session_counts_and_what_was_counted_ahead_is_given_back(app, mailserver):
    content = OutgoingMail("Hello", "Hello", "<p>Hello</p>")
    with app.app_context(), SmtpSession(ahead=8) as session:
        for number in range(3):
            session.send(content, f"p{number}@example.com", f"mail-{number}")
        assert _used() == 8
    assert (_used(), len(mailserver.mails)) == (3, 3)
    with app.app_context(), SmtpSession() as session:
        session.make_ready()
    assert _used() == 3, "nothing was sent"


def test_mail_to_many_waits_for_the_next_day_without_using_up_an_attempt(app, mailserver, run_waiting):
    RateCount.add(budget.NAME, 3600, 7)
    people = [f"p{number}@example.com" for number in range(6)]
    task = submit(make_draft(make_user("ann", email="ann@example.com")), people, 5000)
    run_waiting()
    task.reload()
    assert (task.state, task.attempts) == (State.RETRYING, 0)
    assert "its limit of emails for today" in task.error_words()
    assert "2 of 6 sent." in task.error_words()
    assert utcnow() < task.run_at
    assert [delivery.state for delivery in Delivery.select().order_by(Delivery.id)].count(Sending.SENT) == 2
    RateCount.delete().execute()  # the next day
    Task.update(run_at=utcnow()).execute()
    assert task.reload().enqueue()
    run_waiting()
    assert task.reload().state == State.SUCCEEDED
    assert [mail["To"] for mail in mailserver.mails] == people, "each once"
    assert _used() == 4


@pytest.mark.parametrize("reason", [MakingWay, ShuttingDown, StopRequested])
def test_a_run_that_is_to_stop_gives_back_what_it_has_counted_ahead(app, mailserver, run_waiting, monkeypatch, reason):
    people = [f"p{number}@example.com" for number in range(6)]
    task = submit(make_draft(make_user("ann", email="ann@example.com")), people, 5000)
    with monkeypatch.context() as patch:
        patch.setattr("tasks.send_mail.mail_pace.wait", lambda run, _: mailserver.mails and run.ask_to_stop(reason))
        if reason is StopRequested:
            patch.setattr(Task, "acknowledge_stop", Task.hand_back)
        executor.execute_next()
    assert task.reload().state == State.PENDING
    assert _used() == len(mailserver.mails) == 2
    run_waiting()
    assert [mail["To"] for mail in mailserver.mails] == people, "each once"
    assert _used() == 6


def test_a_notice_waits_and_mails_about_accounts_go_on(app, mailserver, run_waiting):
    _used_up()
    ann = make_user("ann", email="ann@example.com", mail_after=0)
    ended = make_task(State.SUCCEEDED, ann, run_seconds=90)
    OutcomeMail.create(user=ann, task=ended, ended_at=ended.finished_at)
    AccountMail.put("password_changed", "ann@example.com", ann)
    line_up_outcomes(10)
    line_up_account_mails(10)
    run_waiting()
    assert [mail["Subject"] for mail in mailserver.mails] == ["Your Errand password was changed"]
    notice = Task.get(Task.name == "mail_task_outcome")
    assert (notice.state, notice.attempts, OutcomeMail.get().mail_key) == (State.RETRYING, 0, None)


def test_an_export_does_not_wait_but_keeps_its_file_here(app, mailserver, run_waiting):
    _used_up()
    make_post(ann := make_user("ann", email="ann@example.com"))
    task = export_posts.launch(ann)
    run_waiting()
    task.reload()
    assert (task.state, task.title, mailserver.mails) == (State.SUCCEEDED, "Export posts as JSON, not emailed", [])
    assert NoticeCount.get().number == 0
    assert any("its limit of emails for today" in event.text for event in task.timeline())
    assert len(Artifact.completed([task])[task]) == 1


def test_the_operator_is_told_once_a_day(app, caplog):
    budget.tell_operator()
    assert not caplog.records
    _used_up()
    for _ in range(3):
        budget.tell_operator()
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "QUOTA_SITE_MAILS_PER_DAY is 10" in record.getMessage()


@pytest.mark.parametrize("most", [1, 5])
def test_a_small_budget_has_something_for_both(app, most):
    quotas.configure(_quotas(most))
    assert budget.take(most) == max(1, most - 1)
