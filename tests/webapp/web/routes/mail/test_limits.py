"""How many people somebody may mail."""

from datetime import timedelta

from tests.browsing import browse
from tests.webapp.web.routes.mail.desk import TWO, addresses, in_future, send, upload
from webapp.dev.factories import make_mailing, make_user
from webapp.lib.times import utcnow
from webapp.models import Delivery, MailCount, Mailing, State, Task


def test_a_guest_may_mail_twenty_in_a_day(app):
    guest = browse(app, make_user(guest=True))
    many = ",".join(f"p{number}@example.com" for number in range(21))
    answer = send(guest, recipients=many)
    assert answer.status_code == 422
    assert "20 people in 24 hours; this email has 21 recipients" in answer.one("#recipients-error").text
    assert "password and confirm an email address" in answer.one("#recipients-error").text
    assert send(guest, recipients=many.rpartition(",")[0]).status_code == 303
    again = send(guest, recipients="dee@example.com")
    assert (again.status_code, "and have 0 left" in again.one("#recipients-error").text) == (422, True)
    Task.update(state=State.SUCCEEDED).execute()
    Task.get().remove()
    assert not Mailing.select().where(Mailing.draft_key.is_null()).exists()
    assert send(guest, recipients="dee@example.com").status_code == 422, "deleting it gives nothing back"
    MailCount.update(at=utcnow() - timedelta(hours=25)).execute()
    assert send(guest, recipients="dee@example.com").status_code == 303


def test_the_limit_is_a_setting(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    assert send(browser).status_code == 303
    answer = send(browser)
    assert (answer.status_code, "and have 1 left" in answer.one("#recipients-error").text) == (422, True)
    assert Task.select().count() == 1


def test_a_mail_for_later_counts_on_the_day_on_which_it_is_asked_for(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    assert send(browser, send_at=in_future(days=3)).status_code == 303
    answer = send(browser, send_at=in_future(days=5))
    assert (answer.status_code, "and have 1 left" in answer.one("#recipients-error").text) == (422, True)
    MailCount.update(at=utcnow() - timedelta(hours=25)).execute()
    assert send(browser, send_at=in_future(days=3)).status_code == 303


def test_a_change_counts_once(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    mailing = make_mailing(ann.user)
    three = f"{TWO}, dee@example.com"
    assert send(browser, f"/mail/{mailing.id}", recipients=three, send_at=in_future(days=1)).status_code == 303
    over = send(browser, f"/mail/{mailing.id}", recipients=f"{three}, eve@example.com", send_at=in_future(days=1))
    assert over.status_code == 422
    assert len(addresses()) == 3


def test_without_a_mail_server_nobody_is_promised_anything(make_app, ann):
    answer = send(browse(make_app(mail_server=None), ann.user))
    assert (answer.status_code, "no mail server" in answer.words) == (422, True)


def test_pages_cost_the_same_however_much_there_is(ann, queries):
    def cost(path):
        with queries() as seen:
            assert ann.get(path).status_code == 200
        return seen.count

    send(ann, "/mail/draft", attachment=[upload("a", b"a")])
    few = cost("/mail")
    send(ann, "/mail/draft", attachment=[upload(str(number), b"a") for number in range(9)])
    for _ in range(9):
        make_mailing(ann.user)
    assert cost("/mail") <= few + 3
    mailing = make_mailing(ann.user, tuple(f"p{n}@example.com" for n in range(300)), State.SUCCEEDED)
    Delivery.update(state="refused", error="No.").execute()
    assert cost(f"/mail/{mailing.id}") < 20
