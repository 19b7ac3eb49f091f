"""Mail to many: who stops getting it, how much goes in a day, and by whom; counted and looked up as each is sent."""

from datetime import timedelta

import pytest

from tasks.engine import executor
from tasks.send_mail import submit, submit_test
from tests.tasks.conftest import Killed
from tests.tasks.test_send_mail import PEOPLE, _go_on, _listed, _perform, _said, _states
from webapp.dev.factories import make_draft, make_mailing_file, make_user
from webapp.dev.mail_factories import make_suppression
from webapp.lib.times import clock_words, utcnow
from webapp.mail import SmtpSession
from webapp.mail.marked_text import LINK_MARK
from webapp.mail.unsubscribing import subscription_of
from webapp.models import Delivery, MailCount, Mailing, State, Suppression, Task, User
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.suppression import Reason

pytestmark = pytest.mark.usefixtures("no_heartbeat", "mailserver")
DAY = timedelta(hours=24)


@pytest.fixture
def ann(app) -> User:
    return make_user("ann", email="ann@example.com")


def _post(user: User, addresses=PEOPLE, **fields) -> Task:
    return submit(make_draft(user, **fields), list(addresses), 5000)


def _sent(user: User) -> int:
    return sum(number for _, number in MailCount.sent_by(user.id))


def _mail_to(mailserver, address: str):
    [mail] = [mail for mail in mailserver.mails if mail["To"] == address]
    return mail


# The daily limit


def test_what_is_beyond_the_limit_waits_in_words_and_goes_out_as_the_day_is_over(make_app, ann, mailserver):
    make_app(mail_daily_limit=4)
    task = _perform(_post(ann))
    assert (task.state, task.done, len(mailserver.mails)) == (State.RETRYING, 4, 4)
    first = MailCount.get().at
    time = clock_words(first + DAY, "UTC", after=utcnow())
    assert task.error == f"4 of 6 sent. The other 2 go out from {time}, because of your daily limit of 4."
    assert (task.run_at, task.attempts) == (first + DAY, 0)
    assert _states() == [Sending.SENT] * 4 + [Sending.WAITING] * 2
    for _ in range(8):  # more often than it has attempts
        assert _go_on(task).state == State.RETRYING
    assert len(mailserver.mails) == 4
    MailCount.update(at=utcnow() - DAY).execute()
    assert _go_on(task).state == State.SUCCEEDED
    assert [recipient for [recipient] in mailserver.recipients] == PEOPLE
    assert (_sent(ann), "6 sent" in _said(task)) == (2, True)


def test_two_mails_of_one_person_share_the_limit_and_others_have_their_own(make_app, ann, mailserver):
    make_app(mail_daily_limit=8)
    first, second = _post(ann), _post(ann, PEOPLE, subject="Again")
    other = _post(make_user("bob", email="bob@example.com"))
    while executor.execute_next():
        pass
    assert {task.reload().state for task in (first, other)} == {State.SUCCEEDED}
    assert (second.reload().state, second.done) == (State.RETRYING, 2)


@pytest.mark.parametrize("where", ["before", "after"])
def test_each_counts_once_where_a_worker_was_killed_in_the_middle(ann, mailserver, live_on, monkeypatch, where):
    send, calls = SmtpSession.send, []

    def send_or_die(self, content, recipient, message_id):
        calls.append(recipient)
        if where == "after" or len(calls) != 3:
            send(self, content, recipient, message_id)
        if len(calls) == 3:
            raise Killed

    monkeypatch.setattr(SmtpSession, "send", send_or_die)
    assert live_on(_post(ann)).state == State.SUCCEEDED
    assert _sent(ann) == len(PEOPLE)


def test_what_was_refused_does_not_count(ann, mailserver):
    mailserver.refused.add(PEOPLE[0])
    assert _perform(_post(ann)).state == State.SUCCEEDED
    assert _sent(ann) == 5


def test_the_limit_is_counted_on_the_day_on_which_a_mail_goes(make_app, ann, mailserver):
    make_app(mail_daily_limit=6)
    later = _post(ann, send_at=utcnow() + timedelta(days=330))
    assert _perform(_post(ann, subject="Today")).state == State.SUCCEEDED
    MailCount.update(at=utcnow() - DAY).execute()
    later.retry()
    assert _perform(later).state == State.SUCCEEDED


# Who may mail others


def test_a_new_account_waits_until_it_is_a_day_old_with_what_goes_to_others(ann, mailserver):
    task = _post(ann)
    User.update(created_at=utcnow() - timedelta(hours=23)).execute()
    assert _perform(task).state == State.RETRYING
    assert task.run_at == User.get().created_at + DAY
    assert "you can email only yourself, at ann@example.com. 0 of 6 sent." in task.error
    User.update(created_at=utcnow() - DAY).execute()
    assert _go_on(task).state == State.SUCCEEDED


def test_who_has_no_address_any_more_mails_nobody_and_sends_the_rest_once_they_have_one(ann, mailserver):
    task = _post(ann)
    User.update(email="", email_confirmed_at=None).execute()
    assert _perform(task).state == State.FAILED
    assert "confirm an email address" in task.error
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    task.retry()
    assert _perform(task).state == State.SUCCEEDED
    assert len(mailserver.mails) == 6


# How people stop it


def test_each_mail_says_who_sends_it_why_and_how_to_stop_it(app, ann, mailserver):
    _perform(_post(ann, template="free", body="Grüße"))
    links = set()
    for address in PEOPLE:
        mail = _mail_to(mailserver, address)
        link = mail["List-Unsubscribe"].strip("<>")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["Auto-Submitted"] is None, "a person wrote it"
        text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        for said in (text, html):
            assert "ann (ann@example.com) sent you this with" in " ".join(said.split())
            assert "You get it because ann entered your address." in said
            assert said.count(link) == 1
            assert "unsubscribe.invalid" not in said
        with app.app_context():
            found = subscription_of(link.rpartition("/")[2])
        assert (found.address, found.sender) == (address, ann)
        assert address not in link
        links.add(link)
    assert len(links) == len(PEOPLE)


@pytest.mark.parametrize("body", ["Привет всем. " * 300, "こんにちは" * 999, "a=b " * 300, f"{LINK_MARK} x"])
def test_a_text_of_any_script_arrives_with_the_link_of_each(ann, mailserver, body):
    _perform(_post(ann, PEOPLE[:2], template="free", body=body))
    for mail in mailserver.mails:
        text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert body.strip() in text
        assert text.rstrip().endswith(mail["List-Unsubscribe"].strip("<>"))
        assert f'"{mail["List-Unsubscribe"].strip("<>")}"' in mail.get_body(("html",)).get_content()


def test_who_has_unsubscribed_is_left_out_and_listed(ann, mailserver):
    make_suppression(ann, PEOPLE[1], Reason.UNSUBSCRIBED)
    make_suppression(None, PEOPLE[2].upper(), Reason.OPERATOR)
    make_suppression(make_user("bob"), PEOPLE[3], Reason.UNSUBSCRIBED)
    task = _perform(_post(ann, [PEOPLE[0], "P1@example.com", *PEOPLE[2:]]))
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 6, 6)
    assert [recipient for [recipient] in mailserver.recipients] == [PEOPLE[0], *PEOPLE[3:]]
    assert "4 sent, 2 left out" in _said(task)
    assert _listed(task)[1:] == [["P1@example.com", "Unsubscribed."], [PEOPLE[2], "Suppressed by this site."]]
    assert Delivery.counts(Mailing.get())[Sending.REFUSED] == 0
    assert _states()[1:3] == [Sending.REFUSED] * 2, "as the release before can read it"
    assert _sent(ann) == 4


def test_who_unsubscribes_while_it_is_being_sent_is_left_out(ann, mailserver, monkeypatch):
    send = SmtpSession.send

    def send_and_lose(self, content, recipient, message_id):
        send(self, content, recipient, message_id)
        if recipient == PEOPLE[0]:
            Suppression.add(ann.id, [PEOPLE[1]], Reason.UNSUBSCRIBED)

    monkeypatch.setattr(SmtpSession, "send", send_and_lose)
    _perform(_post(ann, PEOPLE[:3]))
    assert [recipient for [recipient] in mailserver.recipients] == [PEOPLE[0], PEOPLE[2]]


def test_an_address_that_does_not_exist_is_not_mailed_again_by_its_sender(ann, mailserver):
    mailserver.answers |= {PEOPLE[0]: "550 5.1.1 No such user", PEOPLE[1]: "550 5.7.1 Blocked", PEOPLE[2]: "550 No"}
    _perform(_post(ann, PEOPLE[:4]))
    [row] = Suppression.select()
    assert (row.address, row.sender, row.reason) == (PEOPLE[0], ann, Reason.REFUSED)
    assert "1 sent, 2 refused, 1 left out" in _said(_perform(_post(ann, PEOPLE[:4])))


# A test to oneself


def test_a_test_is_the_mail_itself_to_its_writer_and_counts(ann, mailserver):
    draft = make_draft(ann, subject="News", template="free", body="Hi", recipients="\n".join(PEOPLE))
    make_mailing_file(draft, "a.bin", b"\0\1")
    task = submit_test(draft, "ann@example.com", 5000)
    assert _perform(task).state == State.SUCCEEDED
    [mail] = mailserver.mails
    assert (mail["To"], mail["Subject"], mail["Reply-To"]) == ("ann@example.com", "Test: News", "ann@example.com")
    assert mail["List-Unsubscribe"]
    assert [part.get_payload(decode=True) for part in mail.iter_attachments()] == [b"\0\1"]
    assert (Mailing.draft_of(ann).recipients, _sent(ann)) == (draft.recipients, 1)
