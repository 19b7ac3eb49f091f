"""A forgotten password: one answer whoever asks, and by the link from the mail a new one, once."""

import re
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from itsdangerous import TimestampSigner

from tasks.mail_account import line_up_account_mails
from tasks.reset_passwords import answer_reset_requests
from tests.browsing import Browser, browse
from tests.webapp.web.site import everything
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import utcnow
from webapp.models import AccountMail, RateCount, User, password_reset
from webapp.models.password_reset import change_password, reset_token
from webapp.models.passwords import hash_password
from webapp.models.reset_request import REQUESTED
from webapp.web import rate_limits

NEW = "a brand new pass phrase"
SECRET = "secret of a test"


def _person(username: str = "ann", email: str = "ann@example.com", **fields) -> User:
    """Somebody new, so that their first sign-in is not told by mail."""
    return make_user(username, email=email, **{"email_confirmed_at": utcnow(), "created_at": utcnow()} | fields)


def _forget(browser: Browser, email: str = "ann@example.com", **headers: str):
    return browser.submit("/password/forgotten", email=email, headers=headers or None)


def _can_sign_in(app, username: str, password: str) -> bool:
    return browse(app).submit("/login", username=username, password=password).status_code == 303


@pytest.fixture
def mail(mailserver, run_tasks):
    """A function that does what the worker does with its next sweep; returns the links of the mails that came."""

    def mail() -> list[str]:
        before = len(mailserver.mails)
        answer_reset_requests(40)
        line_up_account_mails(40)
        run_tasks()
        texts = [each.get_body(("plain",)).get_content() for each in mailserver.mails[before:]]
        return [link for text in texts for link in re.findall(r"http\S+", text)]

    return mail


def _path(link: str) -> str:
    return link.removeprefix("http://localhost")


@pytest.fixture
def link(app):
    """The path of a link that Ann has been sent."""
    return f"/password/new?token={reset_token(_person(), SECRET)}"


# The story


def test_somebody_forgets_the_password_and_comes_back(app, visitor, mail, mailserver):
    _person()
    thief = browse(app)
    assert thief.submit("/login", username="ann", password=PASSWORD).status_code == 303
    assert visitor.get("/login").one("main a[href='/password/forgotten']").text == "Forgot your password?"
    answer = visitor.get(_forget(visitor, " Ann@Example.com ").location)
    assert "Check your email" in answer.words

    [url] = mail()
    assert url.startswith("http://localhost/password/new?token=")
    [sent] = mailserver.mails
    assert (sent["To"], sent["Subject"]) == ("ann@example.com", "Set a new Errand password")
    html = sent.get_body(("html",)).get_content()
    assert url in html
    assert "ann" in html

    phone = browse(app)  # another browser than the one that asked
    page = phone.get(_path(url), follow_redirects=True)
    assert (page.request.path, page.request.args) == ("/password/new", {})
    assert page.one("#username")["value"] == "ann"
    assert page.one("#password")["autocomplete"] == "new-password"
    done = phone.submit("/password/new", password=NEW)
    assert (done.status_code, done.location) == (303, "/login")
    page = phone.get(done.location)
    assert "Sign in as ann" in page.words
    assert page.one("#username")["value"] == "ann"
    assert not phone.get(done.location).one("#username").get("value"), "once"
    assert thief.get("/tasks").status_code == 303, "all sessions are over"
    assert mail() == ["http://localhost/password/forgotten"]
    assert (mailserver.mails[-1]["To"], mailserver.mails[-1]["Subject"]) == (
        "ann@example.com",
        "Your Errand password was changed",
    )
    assert not _can_sign_in(app, "ann", PASSWORD)
    assert _can_sign_in(app, "ann", NEW)


# One answer


def test_nobody_can_tell_whether_an_address_is_known(app, mailserver, queries):
    """Neither by the answer, nor by what is asked of the database for it."""
    _person("known", "known@example.com")
    make_user("old", email="unconfirmed@example.com")
    make_user("guest", guest=True, email="guest@example.com", email_confirmed_at=utcnow())
    for number in range(7):
        _person(f"many-{number}", "many@example.com")
    told, asked = set(), set()
    for name in ("unknown", "known", "unconfirmed", "guest", "many"):
        browser = browse(app)
        token = browser.get("/password/forgotten").one("main input[name=csrf_token]")["value"]
        form = {"csrf_token": token, "email": f"{name}@example.com"}
        with queries() as seen:
            answer = browser.post("/password/forgotten", data=form)
        # A count that begins takes old ones along, and one that goes on does not.
        statements = [query.msg[0] for query in seen.get_queries() if "rate_counts" not in query.msg[0]]
        asked.add(tuple(statements))
        headers = sorted((key, value) for key, value in answer.headers if key not in {"X-Request-ID", "Set-Cookie"})
        page = browser.get(answer.location).get_data(as_text=True)
        told.add((answer.status_code, answer.get_data(), str(headers), page))
    assert len(told) == len(asked) == 1
    assert not [statement for [*statements] in asked for statement in statements if '"users"' in statement]
    assert AccountMail.select().where(AccountMail.kind == REQUESTED).count() == 5


def test_one_address_is_mailed_three_times_an_hour_and_the_answer_stays_the_same(app, visitor, mail):
    _person()
    answers, mails = set(), 0
    for spelling in ("ann@example.com", "Ann@example.com", "ANN@EXAMPLE.COM", "ann@Example.com", "ann@example.com"):
        answer = _forget(visitor, spelling)
        answers.add((answer.status_code, answer.location, answer.get_data()))
        mails += len(mail())
    assert (len(answers), mails) == (1, 3)


@pytest.mark.parametrize(
    "email", ["", "  ", "ann", "ann@", "a" * 300 + "@example.com", "ann@example.com\nbob@example.com"]
)
def test_what_is_no_address_is_told_at_the_field_and_kept(visitor, mailserver, email):
    answer = _forget(visitor, email)
    assert answer.status_code == 422
    assert answer.one("#email-error")
    assert answer.one("#email")["value"].split() == email.split()
    assert AccountMail.select().count() == 0


def test_who_asks_too_often_waits_whatever_they_ask_for(app, mailserver):
    _person()
    browser = browse(app)
    statuses = [_forget(browser, f"{name}@example.com").status_code for name in [*"abcdefghi", "ann", "ann"]]
    assert statuses == [303] * 10 + [429]
    answer = _forget(browser, "z@example.com")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "then try again" in answer.words


def test_a_flood_is_refused_while_the_worker_has_enough(visitor, mail, monkeypatch):
    monkeypatch.setattr("webapp.models.reset_request.MOST_WAITING", 2)
    _person()
    statuses = [_forget(visitor, f"{name}@example.com").status_code for name in ("a", "b", "ann")]
    assert statuses == [303, 303, 429]
    assert mail() == []
    assert _forget(visitor).status_code == 303
    assert len(mail()) == 1


def test_one_network_cannot_shut_out_the_others(app, mail, monkeypatch):
    monkeypatch.setattr("webapp.models.reset_request.MOST_OF_NETWORK", 2)
    _person()

    def ask(name: str, network: str) -> int:
        browser = browse(app)
        browser.environ_base["REMOTE_ADDR"] = network
        return _forget(browser, f"{name}@example.com").status_code

    flood = [ask(f"victim-{number}", f"198.51.100.{number}") for number in range(3)]
    assert (flood, ask("ann", "203.0.113.7")) == ([303, 303, 429], 303)
    assert not any("198.51" in str(row.__data__) for row in AccountMail), "a digest is kept, and no address"
    assert len(mail()) == 1


def test_strangers_who_ask_again_and_again_leave_the_owner_an_allowance(app, mail):
    _person()
    hers = browse(app)
    assert hers.submit("/login", username="ann", password=PASSWORD).status_code == 303
    hers.submit("/logout")
    mails = 0
    for _ in range(4):
        _forget(browse(app))
        mails += len(mail())
    assert mails == 3
    for _ in range(4):
        assert _forget(hers, "ANN@example.com").status_code == 303
        mails += len(mail())
    assert mails == 6
    change_password(User.get(), NEW)
    RateCount.delete().execute()
    for browser in [browse(app)] * 3 + [hers]:
        _forget(browser)
    assert AccountMail.select().where(AccountMail.kind == REQUESTED).count() == 3, "known no more"


@pytest.mark.parametrize("changes", [{}, {"base_url": "", "mail_server": "127.0.0.1"}])
def test_a_site_that_cannot_mail_says_so(make_app, changes):
    app = make_app(**changes)
    _person()
    browser = browse(app)
    for answer in (browser.get("/password/forgotten"), _forget(browser)):
        assert "doesn’t send email" in answer.words
        assert not answer.page.select("main form")
    assert answer.status_code == 422
    assert not AccountMail.select().exists()


def test_a_link_leads_to_this_site_whatever_the_host_of_the_request_says(make_app, mailserver, mail):
    app = make_app(base_url="")  # there any host is let in
    _person()
    AccountMail.put(REQUESTED, "ann@example.com")
    assert mail() == []
    app = make_app()
    assert browse(app).get("/password/forgotten", headers={"Host": "evil.example"}).status_code == 421
    for header in ("X-Forwarded-Host", "Forwarded", "X-Original-Host"):
        _forget(browse(app), **{header: "host=evil.example" if header == "Forwarded" else "evil.example"})
        [url] = mail()
        assert url.startswith("http://localhost/")


# The link


def test_the_link_leads_to_an_address_without_its_token_and_changes_nothing(app, visitor, link):
    before = everything()
    for method in ("HEAD", "GET"):
        answer = visitor.open(link, method=method)
        assert (answer.status_code, answer.location) == (303, "/password/new")
        assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
        assert answer.headers["Cache-Control"] == "no-store"
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["errand-reset"]
    assert 1700 < int(cookie["max-age"]) <= 1800
    assert cookie["httponly"]
    page = visitor.get("/password/new")
    assert page.headers["Cache-Control"] == "no-store"
    assert cookie.value not in page.get_data(as_text=True)
    assert visitor.get(link).status_code == 303, "who looks at it twice can still use it"
    assert visitor.get("/password/new").one("#password")
    assert everything() == before


def _void(browser: Browser, link: str) -> bool:
    """Whether a link is of no use, neither to look at nor to set a password."""
    page = browser.get(link, follow_redirects=True)
    answer = browser.submit("/password/new", password=NEW)
    words = "This link doesn’t work"
    is_void = words in page.words and words in answer.words
    assert is_void == (answer.status_code == 422)
    assert not is_void or page.one("main a[href='/password/forgotten']")
    return is_void


GARBAGE = ["", "x", "a.b.c", "é" * 50, "x" * 5000, "..", "WzEsICJhIl0.aaaaaa.bbbb"]


@pytest.mark.parametrize("token", GARBAGE)
def test_what_is_no_token_is_of_no_use(visitor, token):
    _person()
    assert _void(visitor, f"/password/new?token={token}")


def test_a_token_that_was_forged_or_is_of_another_site_is_of_no_use(app, visitor, link):
    token = link.partition("=")[2]
    forged = token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]
    for other in (forged, token[1:], token[:-1], reset_token(User.get(), "another key")):
        assert _void(visitor, f"/password/new?token={other}")
    assert User.get().has_password(PASSWORD)


def test_a_link_lasts_thirty_minutes(app, visitor, monkeypatch):
    user, now = _person(), TimestampSigner.get_timestamp
    tokens = {}
    for age in (1790, 1802):
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self, age=age: now(self) - age)
        tokens[age] = reset_token(user, SECRET)
    monkeypatch.undo()
    assert visitor.get(f"/password/new?token={tokens[1790]}", follow_redirects=True).one("#password")
    assert _void(visitor, f"/password/new?token={tokens[1802]}")
    assert User.get().has_password(PASSWORD)


VOIDS = {
    "used": lambda user: change_password(user, "what the link has set"),
    "another address": lambda user: User.update(email="new@example.com").execute(),
    "an address that is not confirmed": lambda user: User.update(email_confirmed_at=None).execute(),
    "no account": lambda user: User.delete().execute(),
}


@pytest.mark.parametrize("why", VOIDS)
def test_a_link_is_void(visitor, link, why):
    visitor.get(link)
    VOIDS[why](User.get())
    assert _void(visitor, link)
    assert "errand-reset" not in {cookie.key for cookie in visitor._cookies.values()}, "it is of no use any more"


def test_a_link_is_void_once_its_change_of_the_address_is_undone_while_the_password_is_hashed(
    visitor, link, monkeypatch
):
    def undone_meanwhile(password):
        User.update(email="old@example.com", email_confirmed_at=utcnow()).execute()
        return hash_password(password)

    visitor.get(link)
    monkeypatch.setattr(password_reset, "hash_password", undone_meanwhile)
    assert visitor.submit("/password/new", password=NEW).status_code == 422
    assert not User.get().has_password(NEW)


def test_a_form_that_comes_twice_is_answered_alike_and_changes_once(app, visitor, link):
    visitor.get(link)
    token = visitor.get("/password/new").one("main input[name=csrf_token]")["value"]
    cookies = dict(visitor._cookies)
    answers = []
    for _ in range(2):
        visitor._cookies = dict(cookies)  # both were sent before either was answered
        answers.append(visitor.post("/password/new", data={"csrf_token": token, "password": NEW}))
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/login")}
    assert AccountMail.select().count() == 1
    visitor._cookies = dict(cookies)
    answer = visitor.post("/password/new", data={"csrf_token": token, "password": "another new pass phrase"})
    assert "This link doesn’t work" in answer.words
    assert _can_sign_in(app, "ann", NEW)


def test_of_two_that_come_at_once_one_sets_the_password(app, visitor, link, monkeypatch):
    """The other has read the account before, and hashes its password meanwhile."""
    visitor.get(link)
    token, hashing = visitor.token(), password_reset.hash_password

    def while_the_other_is_quicker(password):
        monkeypatch.setattr(password_reset, "hash_password", hashing)
        assert change_password(User.get(), NEW, once=True)
        return hashing(password)

    monkeypatch.setattr(password_reset, "hash_password", while_the_other_is_quicker)
    answer = visitor.post("/password/new", data={"csrf_token": token, "password": "what came second"})
    assert "This link doesn’t work" in answer.words
    assert _can_sign_in(app, "ann", NEW)
    assert AccountMail.select().where(AccountMail.kind == "password_changed").count() == 1


def test_a_used_link_is_no_way_to_guess_the_password(app, visitor, link):
    visitor.get(link)
    cookies = dict(visitor._cookies)
    change_password(User.get(), NEW)
    statuses = []
    for number in range(11):
        visitor._cookies |= cookies
        statuses.append(visitor.submit("/password/new", password=f"a guess that is wrong {number}").status_code)
    assert statuses == [422] * 10 + [429]


# The new password


@pytest.mark.parametrize("password", ["", "short", " " * 20, "x" * 5000])
def test_the_rules_are_those_of_registering(visitor, link, password):
    visitor.get(link)
    answer = visitor.submit("/password/new", password=password)
    assert answer.status_code == 422
    assert answer.one("#password-error")
    assert not answer.one("#password").get("value")
    assert User.get().has_password(PASSWORD)
    assert visitor.submit("/password/new", password=NEW).status_code == 303, "the link still works"


def test_somebody_with_a_second_factor_keeps_it_and_nobody_is_signed_in(app, visitor, link):
    User.update(totp_secret="kept").execute()
    visitor.get(link)
    visitor.submit("/password/new", password=NEW)
    assert User.get().totp_secret == "kept"
    assert visitor.get("/tasks").location.startswith("/login")


@pytest.mark.parametrize("guest", [False, True])
def test_somebody_else_who_is_signed_in_here_stays_that(app, link, guest):
    browser = browse(app, make_user("bob", guest=guest))
    page = browser.get(link, follow_redirects=True)
    assert "You’re signed in as bob." in page.words
    answer = browser.submit("/password/new", password=NEW)
    assert answer.location == "/"
    assert "You’re still signed in as bob." in browser.get("/").words
    assert _can_sign_in(app, "ann", NEW)


def test_who_is_signed_in_and_has_forgotten_it_signs_in_again(app, link):
    browser = browse(app, User.get())
    page = browser.get(link, follow_redirects=True)
    assert "You’re signed in as" not in page.words
    answer = browser.submit("/password/new", password=NEW)
    assert answer.location == "/login"
    assert "Sign in as ann" in browser.get("/login").words


def test_a_form_from_elsewhere_is_refused_and_a_password_is_not_shown_back(app, visitor, link):
    visitor.get(link)
    answer = visitor.post("/password/new", data={"username": "ann", "password": NEW, "csrf_token": "forged"})
    assert answer.status_code == 400
    assert NEW not in answer.get_data(as_text=True)
    assert visitor.post("/password/forgotten", data={"email": "ann@example.com"}).status_code == 400
    assert User.get().has_password(PASSWORD)
    assert not AccountMail.select().exists()


def test_polls_of_a_browser_with_a_link_stay_unchanged(app, link, queries):
    browser = browse(app, make_user("bob"))
    version = browser.get("/live", headers={"HX-Request": "true"}).headers["ETag"]
    browser.get(link)
    with queries() as seen:
        answer = browser.get("/live", headers={"HX-Request": "true", "If-None-Match": version})
    assert (answer.status_code, seen.count) == (304, 1)


def test_who_has_set_it_anew_is_not_locked_out_by_the_guesses_of_others(app, visitor, link, monkeypatch):
    monkeypatch.setattr(rate_limits, "PER_ACCOUNT", rate_limits.parse_many("2 per hour"))
    for _ in range(3):
        browse(app).submit("/login", username="ann", password="a guess")
    assert not _can_sign_in(app, "ann", PASSWORD)
    visitor.get(link)
    visitor.submit("/password/new", password=NEW)
    assert visitor.submit("/login", username="ann", password=NEW).status_code == 303


# What is told


def test_it_is_told_in_the_security_log_without_what_was_typed(app, visitor, mailserver, link, caplog):
    caplog.set_level("INFO", "errand.security")
    _forget(visitor)
    visitor.get(link)
    visitor.submit("/password/new", password=NEW)
    told = [(each.fields["event"], each.fields["account_id"]) for each in caplog.records if "fields" in each.__dict__]
    assert ("password reset requested", None) in told
    assert ("password reset", User.get().id) in told
    assert "ann@" not in caplog.text + str([each.__dict__ for each in caplog.records])


def test_a_password_that_is_changed_in_the_settings_is_told_by_mail(app, mail, mailserver):
    user = _person()
    browser = browse(app, user)
    assert browser.submit("/settings/password", current=PASSWORD, password=NEW).status_code == 303
    assert mail() == ["http://localhost/password/forgotten"]
    assert [sent["Subject"] for sent in mailserver.mails] == ["Your Errand password was changed"]
    User.update(email_confirmed_at=None).execute()
    browser.submit("/settings/password", current=NEW, password=PASSWORD)
    assert mail() == ["http://localhost"], "no link can be sent to an address that is not confirmed"


def test_who_changes_it_again_and_again_fills_no_mailbox(app, mailserver):
    user = _person()
    for number in range(12):
        change_password(user, f"pass phrase {number}")
    assert AccountMail.select().count() == 10


def test_the_first_password_of_a_guest_is_no_change(app, mailserver):
    browser = browse(app, make_user("guest", guest=True, email="guest@example.com"))
    assert browser.submit("/settings/password", password=NEW).status_code == 303
    assert not AccountMail.select().exists()


def test_a_mail_that_is_late_says_nothing_about_an_address_that_was_changed_since(app, visitor, mailserver, mail):
    _person()
    _forget(visitor)
    answer_reset_requests(40)
    User.update(email="other@example.com").execute()
    assert mail() == []
    assert not AccountMail.select().exists()


def test_old_requests_are_forgotten(app, visitor, mailserver):
    _forget(visitor)
    AccountMail.update(created_at=utcnow() - timedelta(days=2)).execute()
    assert AccountMail.purge(100) == 1
