"""Proving once more who one is, before what would harm most."""

from datetime import timedelta

import pytest
from flask import Blueprint, request

from tests.browsing import Browser, browse
from tests.phones import Phone
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import utcnow
from webapp.models import Session, User
from webapp.web.auth import require_sign_in
from webapp.web.presenters.proof_words import PURPOSES
from webapp.web.reauthentication import reauthentication_required
from webapp.web.session_cookies import SESSION_KEY

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/settings"}
DONE: list[dict] = []


@pytest.fixture
def app(app):
    """The app with a page that needs it."""
    bp = require_sign_in(Blueprint("vault", __name__))

    @bp.route("/vault", methods=["GET", "POST"])
    @reauthentication_required
    def vault():
        DONE.append(request.form.to_dict())
        return "opened"

    app.register_blueprint(bp)
    DONE.clear()
    return app


@pytest.fixture
def phone(monkeypatch):
    return Phone(monkeypatch)


def _let_time_pass(minutes: int = 11) -> None:
    Session.update(authenticated_at=utcnow() - timedelta(minutes=minutes)).execute()


def _opens(browser: Browser) -> bool:
    return browser.get("/vault").status_code == 200


def test_it_holds_for_ten_minutes_after_signing_in_and_visits_keep_it_no_longer(ann):
    _let_time_pass(9)
    assert _opens(ann)
    _let_time_pass(10)
    ann.get("/")
    answer = ann.get("/vault?a=b")
    assert (answer.status_code, answer.location) == (303, "/reauthentication?next=/vault?a%3Db")
    page = ann.get(answer.location)
    assert page.one("#password")["autocomplete"] == "current-password"
    assert not page.page.select("#code"), "who has no second factor is asked for none"
    wrong = ann.submit(answer.location, password="wrong")
    assert (wrong.status_code, bool(wrong.one("#password-error"))) == (422, True)
    assert not _opens(ann)
    assert ann.submit(answer.location, password=PASSWORD).location == "/vault?a=b"
    assert _opens(ann)


def test_a_session_that_was_found_without_proof_has_to_prove(ann, app):
    Session.update(authenticated_at=None).execute()
    assert not _opens(ann)
    of_before = browse(app, make_user("bob"))
    with of_before.session_transaction() as session:
        del session[SESSION_KEY]  # a cookie of the release before, which knew no sessions
    assert of_before.get("/settings").status_code == 200
    assert not _opens(of_before)


def test_it_is_of_one_browser_and_gives_it_a_new_key(app, ann, caplog):
    caplog.set_level("INFO", "errand.security")
    elsewhere, thief = browse(app, ann.user), browse(app)
    thief.set_cookie("errand", ann.get_cookie("errand").value)
    _let_time_pass()
    begun = {session.id for session in Session.select()}
    ann.submit("/reauthentication", password=PASSWORD)
    assert "re-authenticated" in caplog.text
    assert _opens(ann)
    assert not _opens(elsewhere)
    assert thief.get("/settings").location.startswith("/login"), "a copy of the cookie of before is worth nothing"
    assert {session.id for session in Session.select()} == begun, "the list of sessions has none twice"


def test_a_second_factor_is_asked_for_too(ann, phone):
    phone.pair(User.get_by_id(ann.user.id))
    _let_time_pass()
    for code in ("", "000000", phone.code):
        answer = ann.submit("/reauthentication", password=PASSWORD, code=code)
        assert (answer.status_code, bool(answer.one("#code-error"))) == (422, True)
    assert not _opens(ann)
    wrong = ann.submit("/reauthentication", password="wrong", code=phone.next_code())
    assert not wrong.page.select("#code-error"), "and the code is still good"
    assert ann.submit("/reauthentication", password=PASSWORD, code=phone.code).status_code == 303
    assert _opens(ann)


def test_a_form_is_kept_and_sent_with_the_password_by_one_press(ann, phone):
    phone.pair(User.get_by_id(ann.user.id))
    _let_time_pass()
    asked = ann.submit("/vault", note="Dear\r\ndiary", password="a new one", form_key="k")
    assert (asked.status_code, asked.headers["Cache-Control"]) == (422, "no-store")
    form = asked.one("form.kept")
    assert (form["action"], DONE) == ("/vault", [])
    assert "Dear" in form.text
    assert "a new one" not in asked.get_data(as_text=True), "a password is not shown back"
    assert form.select_one("input[name=password][type=password]"), "but asked for again"
    fields = {field["name"]: field.get("value", "") for field in form.select("input")}
    fields |= {
        "password": "a new one",
        "reauthentication_password": "wrong",
        "reauthentication_code": phone.next_code(),
    }
    wrong = ann.post("/vault", data=fields)
    assert (wrong.status_code, DONE) == (422, [])
    assert wrong.one("#reauthentication_password-error")
    assert len(wrong.page.select("[name=reauthentication_password]")) == 1
    assert "Dear" in wrong.one("form.kept").text
    answer = ann.post("/vault", data=fields | {"reauthentication_password": PASSWORD})
    assert answer.get_data(as_text=True) == "opened"
    [done] = DONE
    assert (done["note"], done["password"], done["form_key"]) == ("Dear\r\ndiary", "a new one", "k")
    assert _opens(ann), "it holds for what comes next"


def test_a_button_without_fields_is_kept_too(ann):
    _let_time_pass()
    form = ann.submit("/vault").one("form.kept")
    assert not form.select("h2"), "nothing was typed"
    fields = {field["name"]: field.get("value", "") for field in form.select("input")}
    assert ann.post("/vault", data=fields | {"reauthentication_password": PASSWORD}).get_data(as_text=True) == "opened"


def test_a_form_of_another_site_is_neither_shown_nor_sent(ann):
    _let_time_pass()
    answer = ann.submit("/vault", headers={"Sec-Fetch-Site": "cross-site"}, note="theirs")
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/reauthentication")
    assert ann.post("/vault", data={"reauthentication_password": PASSWORD}).status_code == 400, "nor without its token"
    assert DONE == []


def test_who_guesses_the_password_here_is_stopped_as_at_the_door(ann):
    _let_time_pass()
    said = [ann.submit("/vault", reauthentication_password=f"guess {n}").status_code for n in range(11)]
    assert said == [422] * 10 + [429]
    assert ann.submit("/reauthentication", password=PASSWORD).status_code == 429
    assert DONE == []


def test_htmx_is_led_there_and_back_to_its_page(ann):
    _let_time_pass()
    for answer in (ann.get("/vault", headers=HTMX), ann.submit("/vault", headers=HTMX)):
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/reauthentication?next=/settings")
    assert DONE == []


def test_the_question_says_what_a_button_is_about_to_do(app, ann):
    _let_time_pass()
    asked = ann.submit("/settings/sessions/end").words
    assert "Nothing has changed yet. Enter your password to end all your other sessions." in asked
    assert "/settings" not in asked, "in words, not as an address"
    takes_posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    assert set(PURPOSES) <= takes_posts, "each is there"


def test_a_guest_has_nothing_to_prove_and_a_visitor_signs_in(app, visitor):
    guest = browse(app, make_user(guest=True))
    assert _opens(guest)
    assert guest.get("/reauthentication?next=/tasks").location == "/tasks"
    assert visitor.get("/reauthentication").location == "/login?next=/reauthentication"


def test_next_leads_to_no_other_site(ann):
    assert ann.submit("/reauthentication?next=//evil.example", password=PASSWORD).location == "/"


def test_a_new_password_takes_a_code_too_where_there_is_a_second_factor(ann, phone):
    _let_time_pass()
    fields = {"current": PASSWORD, "password": "another good one"}
    assert ann.submit("/settings/password", **fields).status_code == 303, "it asks for the password by itself"
    phone.pair(User.get_by_id(ann.user.id))
    _let_time_pass()
    fields = {"current": "another good one", "password": "yet another one"}
    page = ann.submit("/settings/password", **fields)
    assert page.one("form.kept").has_attr("novalidate")
    asked = page.words
    assert "Confirm it’s you" in asked
    assert "Enter your password and a code to change your password." in asked
    proof = {"reauthentication_password": "another good one", "reauthentication_code": phone.next_code()}
    assert ann.submit("/settings/password", **fields | proof).location == "/settings"
    assert User.get_by_id(ann.user.id).has_password("yet another one")


def test_who_has_a_second_factor_is_asked_on_the_way_to_the_new_password_and_once(ann, phone):
    phone.pair(User.get_by_id(ann.user.id))
    _let_time_pass()
    page = ann.get("/settings")
    assert not page.page.select("#keep input[type=password]")
    way = page.one("#keep a.button")["href"]
    assert ann.get(way).location == "/reauthentication?next=/settings/password"
    proof = {"password": PASSWORD, "code": phone.next_code()}
    assert ann.submit("/reauthentication?next=/settings/password", **proof).location == "/settings/password"
    assert ann.get("/settings/password").location == "/settings#keep"
    assert [field["name"] for field in ann.get("/settings").page.select("#keep input[type=password]")] == ["password"]
    assert ann.submit("/settings/password", password="another good one").location == "/settings"
    assert User.get_by_id(ann.user.id).has_password("another good one")
    _let_time_pass()
    assert ann.submit("/settings/password", password="stolen by a thief").status_code == 422, "not for good"
    assert User.get_by_id(ann.user.id).has_password("another good one")
