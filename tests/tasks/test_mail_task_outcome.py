"""Outcomes by mail: who asked hears how each task has ended, once, whoever recorded that and whatever dies then."""

import re
from datetime import timedelta

import pytest

from tasks import mail_task_outcome as module
from tasks.engine import sweeper
from tasks.engine.models.sweeping import MOST_RESCUES
from tasks.mail_task_outcome import AT_MOST_EVERY, MOST_SHOWN, line_up_outcomes, mail_task_outcome
from tests.processes import free_port
from tests.racing import elsewhere
from tests.tasks.conftest import Killed
from webapp import mail
from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.mail import SmtpSession
from webapp.models import Notification, OutcomeMail, State, Task, User, outcome_mail

ASKED = {"email": "ann@example.com", "mail_after": 1}
AGO = timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(mailserver, each_database):
    """The app on each database, and a mail server that it sends by; nothing here has an app context."""
    return each_database


@pytest.fixture
def ann(app) -> User:
    """Somebody who wants mail about each task."""
    return make_user("ann", **ASKED | {"mail_after": 0})


@pytest.fixture
def pass_by(run_waiting):
    """A function that lets a minute pass, or more, and the site do what is then to be done."""

    def pass_by() -> None:
        Task.update(run_at=utcnow()).where(Task.run_at.is_null(False)).execute()
        for task in Task.due(10):
            task.enqueue()
        ended = Task.update(finished_at=utcnow() - AT_MOST_EVERY - AGO)
        ended.where(Task.name == mail_task_outcome.name, Task.finished_at.is_null(False)).execute()
        line_up_outcomes(200)
        run_waiting()

    return pass_by


def _running(user: User, title: str = "Count to ten", worked: float = 90, state: State = State.IN_PROGRESS) -> Task:
    """A task that has worked for a minute and a half."""
    task = make_task(state, user, title=title, run_seconds=worked)
    Task.update(started_at=task.updated_at).where(Task.id == task.id).execute()
    task.started_at = task.updated_at
    return task


def _ended(user: User, title: str = "Count to ten", error: str = "") -> Task:
    task = _running(user, title)
    task.fail(error) if error else task.succeed()
    return task


def _text(mail, kind: str = "plain") -> str:
    return mail.get_body((kind,)).get_content()


def _told(mail) -> str:
    """What a mail says of the one task that it tells of; of several, its subject."""
    if not mail["Subject"].startswith(("A task", "Your email")):
        return mail["Subject"]
    said = re.search(r"^(.* (?:finished|failed|was sent))(?: after .*)?\.\r?$", _text(mail), re.MULTILINE)
    return said[1]


# What is mailed, to whom, and when


@pytest.mark.parametrize(
    ("name", "error", "words", "subject"),
    [
        ("countdown", "", "Count <to> ten finished", "A task has finished"),
        ("countdown", "It broke.", "Count <to> ten failed", "A task has failed"),
        ("send_mail", "", "Count <to> ten was sent", "Your email was sent"),
        ("send_mail", "It broke.", "Count <to> ten failed", "A task has failed"),
    ],
)
def test_who_asked_is_mailed_how_a_long_task_ended(app, mailserver, pass_by, name, error, words, subject):
    task = _running(make_user("ann", **ASKED), "Count <to> ten")
    Task.update(name=name).execute()
    task.reload()
    task.fail(error) if error else task.succeed()
    pass_by()
    [mail] = mailserver.mails
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", subject)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert f"{words} after 2 minutes." in _text(mail)
    assert "Count &lt;to&gt; ten" in _text(mail, "html")
    for kind in ("plain", "html"):
        assert f"http://localhost/tasks/{task.id}" in _text(mail, kind)
        assert ("It broke." in _text(mail, kind)) == bool(error)
    pass_by()
    assert len(mailserver.mails) == 1, "once"


@pytest.mark.parametrize(
    "how",
    [
        {"email": "ann@example.com"},
        {"mail_after": 0},
        ASKED | {"mail_after": 5},
        ASKED | {"mail_after": None, "hearing": {"succeeded": "mail-5", "failed": "mail"}},
        ASKED | {"hearing": {"succeeded": "app", "failed": "mail"}, "mail_after": None},
    ],
    ids=["did not ask", "has no address", "it was short", "it was short, by kind", "asked about others"],
)
def test_nobody_else_is_mailed(app, mailserver, pass_by, how):
    _ended(make_user("bob", **how))
    pass_by()
    assert (mailserver.mails, Task.select().count()) == ([], 1)


def test_nobody_is_mailed_what_they_canceled_nor_each_part_of_a_whole(ann, mailserver, pass_by):
    _running(ann, state=State.CANCELING).acknowledge_stop()
    parent = make_task(State.IN_PROGRESS, ann, kind="group", title="All of it")
    _running(ann, "A part")
    Task.update(parent=parent, root=parent).where(Task.title == "A part").execute()
    Task.get(Task.title == "A part").succeed()
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["All of it finished"]


def test_the_first_is_told_at_once_and_what_ends_within_a_minute_of_it_together(ann, mailserver, run_waiting, pass_by):
    _ended(ann, "The first")
    line_up_outcomes(200)
    run_waiting()
    for number in range(MOST_SHOWN + 5):
        _ended(ann, f"Task {number}", error="" if number else "It broke.")
        line_up_outcomes(200)
        run_waiting()
    assert [_told(mail) for mail in mailserver.mails] == ["The first finished"]
    pass_by()
    [_, mail] = mailserver.mails
    assert mail["Subject"] == "1 task failed, 24 finished"
    for kind in ("plain", "html"):
        text = _text(mail, kind)
        assert text.index("Task 0 failed") < text.index("It broke.") < text.index("Task 19 finished")
        assert "And 5 more" in text
        assert "http://localhost/tasks" in text
        assert "Task 20" not in text


def test_a_task_that_was_tried_again_is_told_of_by_how_it_ended_then(ann, mailserver, pass_by):
    task = _ended(ann, error="It broke.")
    task.retry()
    task.pause()
    pass_by()
    assert mailserver.mails == [], "it is being tried again"
    Task.update(state=State.IN_PROGRESS, fencing_token="run").where(Task.id == task.id).execute()
    task.reload().succeed()
    pass_by()
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["Count to ten finished"]
    assert not OutcomeMail.select().exists()


def test_a_task_that_was_deleted_is_not_told_of(ann, mailserver, pass_by):
    _ended(ann).remove()
    pass_by()
    assert mailserver.mails == []


@pytest.mark.parametrize("change", [{"mail_after": None}, {"email": ""}])
def test_who_changes_their_mind_is_not_mailed_now_nor_later(ann, mailserver, pass_by, change):
    _ended(ann)
    User.update(change).execute()
    pass_by()
    User.update(ASKED).execute()
    pass_by()
    assert mailserver.mails == []


def test_a_title_stands_in_no_subject_whoever_has_chosen_it(ann, mailserver, pass_by):
    _ended(ann, "YOUR ACCOUNT IS LOCKED a\u2028Bcc: eve@example.com\x07\x85b\N{MAN}\u200d\N{GIRL}.txt")
    pass_by()
    assert [mail["Subject"] for mail in mailserver.mails] == ["A task has finished"]
    assert "YOUR ACCOUNT IS LOCKED" in _text(mailserver.mails[0])
    assert mailserver.recipients == [["ann@example.com"]]


def test_what_went_wrong_is_told_shortly_however_long_it_is(ann, mailserver, pass_by):
    _ended(ann, error="It broke. " * 1000)
    pass_by()
    assert "It broke.…" in _text(mailserver.mails[0])
    assert len(_text(mailserver.mails[0])) < 1000


def test_it_is_off_until_somebody_asks(app):
    assert not make_user().wants_mail


# Never lost, never twice, in nobody's way


def test_an_outcome_that_is_undone_is_not_told(ann, mailserver, pass_by):
    task = _running(ann)
    with database.atomic() as transaction:
        task.succeed()
        transaction.rollback()
    pass_by()
    assert mailserver.mails == []


def test_what_the_sweeper_ends_is_told_too(ann, mailserver, pass_by):
    task = _running(ann)
    gone = {"lease_until": utcnow() - AGO, "crashes": MOST_RESCUES, "fencing_token": "a run that died"}
    Task.update(gone).where(Task.id == task.id).execute()
    sweeper.Sweeper().look()
    assert task.reload().state == State.FAILED
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["Count to ten failed"]


def test_nobody_hears_of_the_mail_itself(ann, mailserver, pass_by):
    _ended(ann)
    before = User.get_by_id(ann.id).changes
    pass_by()
    pass_by()
    assert len(mailserver.mails) == 1
    assert User.get_by_id(ann.id).changes == before
    assert [str(said) for said in Notification.of(ann)] == ["Count to ten finished"]


@pytest.mark.parametrize("where", ["before", "after"])
def test_who_is_killed_in_the_middle_repeats_that_mail_at_most_and_adds_nothing_to_it(
    ann, mailserver, live_on, monkeypatch, pass_by, where
):
    send, calls = SmtpSession.send, []

    def send_or_die(self, content, recipient, message_id):
        calls.append(message_id)
        assert message_id in elsewhere(lambda: [row.mail_key for row in OutcomeMail]), "on record before it goes"
        if len(calls) == 1:
            if where == "after":
                send(self, content, recipient, message_id)
            _ended(ann, "Ended meanwhile")
            raise Killed
        send(self, content, recipient, message_id)

    monkeypatch.setattr(SmtpSession, "send", send_or_die)
    _ended(ann, "In flight")
    line_up_outcomes(200)
    assert live_on(Task.get(Task.name == mail_task_outcome.name)).state == State.SUCCEEDED
    assert [_told(mail) for mail in mailserver.mails] == ["In flight finished"] * (2 if where == "after" else 1)
    assert len({mail["Message-ID"] for mail in mailserver.mails}) == 1, "so that a receiver knows it for the same"
    pass_by()
    pass_by()
    assert [_told(mail) for mail in mailserver.mails].count("Ended meanwhile finished") == 1
    assert not OutcomeMail.select().exists()


def test_a_mail_server_that_is_away_is_waited_for_and_then_it_is_one_mail(ann, app, mailserver, pass_by):
    app.extensions["mail"].port = free_port()
    for number in range(10):  # more often than one task has attempts
        _ended(ann, f"Task {number}")
        pass_by()
    app.extensions["mail"].port = mailserver.port
    pass_by()
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["10 tasks finished"]


def test_a_connection_that_drops_in_the_middle_leaves_the_same_mail_to_be_sent(ann, mailserver, pass_by):
    mailserver.answer_to_data = "drop"
    _ended(ann, "In flight")
    pass_by()
    key = OutcomeMail.get().mail_key
    mailserver.answer_to_data = "250 OK"
    _ended(ann, "Ended meanwhile")
    pass_by()
    [mail] = mailserver.mails
    assert (_told(mail), key in mail["Message-ID"]) == ("In flight finished", True)


def test_an_address_that_takes_no_mail_is_given_up(ann, mailserver, pass_by, caplog):
    mailserver.refused.add("ann@example.com")
    _ended(ann)
    pass_by()
    assert f"User {ann.id} is not mailed about tasks" in caplog.text
    assert not OutcomeMail.select().exists()


def test_without_a_mail_server_nothing_is_kept_for_later(ann, app, mailserver, pass_by):
    app.config["MAIL_SERVER"] = None
    _ended(ann)
    pass_by()
    assert not OutcomeMail.select().exists()


def test_an_error_in_the_program_is_tried_again_after_a_while_and_loses_nothing(ann, mailserver, monkeypatch, pass_by):
    with monkeypatch.context() as broken:
        broken.setattr(mail, "render", lambda *_, **__: {}["broken"])
        _ended(ann)
        pass_by()
    assert Task.get(Task.name == mail_task_outcome.name).state == State.RETRYING
    pass_by()
    assert [_told(mail) for mail in mailserver.mails] == ["Count to ten finished"]


def test_two_sweepers_start_one_mail_and_stop_at_nobody(ann, mailserver, run_waiting, monkeypatch):
    other = make_user("bob", email="bob@example.com", mail_after=0)
    _ended(ann)
    _ended(other)
    found = [ann, other]
    monkeypatch.setattr(module.OutcomeMail, "mail_due", lambda _: User.select())
    line_up_outcomes(200)
    module.line_up(mail_task_outcome, found)  # which the other had found before
    assert Task.select().where(Task.name == mail_task_outcome.name).count() == 2
    run_waiting()
    assert len(mailserver.mails) == 2


def test_a_mail_costs_the_same_however_much_it_tells_of_and_tells_of_so_much_at_most(
    ann, mailserver, queries, monkeypatch, pass_by
):
    monkeypatch.setattr(outcome_mail, "MOST_IN_ONE", 30)

    def cost(tasks: int) -> int:
        for _ in range(tasks):
            task = make_task(State.SUCCEEDED, ann)
            OutcomeMail.create(user=ann, task=task, ended_at=task.finished_at)
        with queries() as seen:
            pass_by()
        return seen.count

    assert abs(cost(1) - cost(31)) <= 1, "but for where the line begins, which is looked for once a second"
    assert mailserver.mails[-1]["Subject"] == "30 tasks finished"
    assert OutcomeMail.select().count() == 1, "for the next"


def test_finding_who_is_to_be_mailed_is_one_query(ann, queries):
    with queries() as seen:
        line_up_outcomes(200)
    assert seen.count == 1


def test_what_people_have_started_goes_before_these_mails(declare, ann):
    for number in range(3):
        _ended(make_user(email=f"{number}@example.com", mail_after=0))
    line_up_outcomes(200)
    mine = declare(title="Mine")(_nothing).launch(ann)
    assert Task.claim(timedelta(seconds=15)) == mine


def _nothing(task):
    pass
