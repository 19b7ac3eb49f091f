"""How many people somebody may mail."""

from datetime import timedelta

from tests.browsing import browse
from tests.webapp.web.routes.mail.desk import TWO, addresses, in_future, send, upload
from webapp.dev.factories import make_mailing, make_user
from webapp.lib.times import clock_words, local, utcnow
from webapp.models import Delivery, State, Task, User


def _refused(browser, **fields) -> str:
    answer = send(browser, **fields)
    assert answer.status_code == 422
    assert not answer.page.select("main [role=note]"), "it is said once, at the field"
    return answer.one("#recipients-error").text


def test_a_guest_mails_only_themselves(app):
    guest = browse(app, make_user("gus", guest=True))
    note = guest.get("/mail").one("main [role=note]")
    assert "As a guest you can email only yourself" in note.text, "before anything is typed for nothing"
    assert note.a["href"] == "/settings"
    assert "once you’ve confirmed an email address" in _refused(guest, recipients="gus@example.com")
    _give_address(guest.user)
    words = _refused(guest, recipients="gus@example.com, bea@example.com")
    assert "only yourself, at gus@example.com" in words
    assert "set a password" in words
    assert send(guest, recipients="GUS@Example.com").status_code == 303


def test_who_has_no_confirmed_address_mails_nobody(app):
    browser = browse(app, make_user("gus"))
    assert "first confirm an email address" in _refused(browser)
    _give_address(browser.user, email_confirmed_at=None)  # as the release before writes it
    assert "first confirm an email address" in _refused(browser)
    _give_address(browser.user, email_confirmed_at=None, email_grace_ends_at=utcnow() + timedelta(days=1))
    assert send(browser).status_code == 303


def test_an_account_of_less_than_a_day_mails_only_itself_and_may_plan_for_others(app):
    user = make_user("gus", email="gus@example.com", created_at=utcnow() - timedelta(hours=23), time_zone="Asia/Seoul")
    browser = browse(app, user)
    ends_at = user.created_at + timedelta(days=1)
    words = _refused(browser)
    assert f"until {clock_words(ends_at, 'Asia/Seoul', after=utcnow())}, you can email only yourself" in words
    assert send(browser, recipients="gus@example.com").status_code == 303
    assert (
        send(browser, send_at=f"{local(ends_at, 'Asia/Seoul') + timedelta(minutes=2):%Y-%m-%dT%H:%M}").status_code
        == 303
    )


def test_a_site_that_does_not_know_where_it_is_lets_nobody_mail_others(make_app, ann):
    browser = browse(make_app(base_url=""), ann.user)
    assert "nobody could unsubscribe" in _refused(browser)
    assert send(browser, recipients="ann@example.com").status_code == 303


def test_without_a_limit_the_desk_is_closed(make_app, ann):
    assert "doesn’t let people send email" in _refused(browse(make_app(mail_daily_limit=0), ann.user))


def _give_address(user: User, **fields) -> None:
    known = {"email": "gus@example.com", "email_confirmed_at": utcnow()} | fields
    User.update(known).where(User.id == user.id).execute()


def test_the_limit_is_a_setting(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    assert not browser.get("/mail").page.select("main [role=note]")
    assert send(browser).status_code == 303
    answer = send(browser)
    assert (answer.status_code, "and have 1 left" in answer.one("#recipients-error").text) == (422, True)
    assert Task.select().count() == 1


def test_a_mail_for_later_counts_on_the_day_on_which_it_goes(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    assert send(browser, send_at=in_future(days=3)).status_code == 303
    assert send(browser, send_at=in_future(days=5)).status_code == 303
    answer = send(browser, send_at=in_future(days=5, hours=2))
    assert (answer.status_code, "and have 1 left" in answer.one("#recipients-error").text) == (422, True)
    assert send(browser).status_code == 303


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
