"""Typing is never lost: whatever a form was refused for, its page has what was typed, and one button that sends it."""

import io
from uuid import uuid4

import pytest
from itsdangerous import URLSafeTimedSerializer

from tests.browsing import Browser, browse
from webapp.dev.factories import PASSWORD, make_task, make_user
from webapp.models import EmailChange, MailingFile, Message, Post, State, Task, User
from webapp.web.form_recovery import MAX_TEXT_SHOWN
from webapp.web.rate_limits import PER_ACCOUNT_AT_ADDRESS

HTMX = {"HX-Request": "true"}
TYPED = "It’s “typed” <b>\r\n\r\nfor long</b>"


@pytest.fixture
def app(app):
    """Ann and Bob have passwords, so that they can sign in again."""
    make_user("ann")
    make_user("bob")
    return app


@pytest.fixture
def browser(app) -> Browser:
    """A browser in which Ann has signed in."""
    browser = browse(app)
    _sign_in(browser)
    return browser


def _sign_in(browser: Browser, username: str = "ann") -> None:
    """In another tab: what pages had before is of an older session."""
    browser.submit("/logout")
    assert browser.submit("/login", username=username, password=PASSWORD).status_code == 303


def _end(browser: Browser) -> None:
    browser.submit("/logout")


def _lose(browser: Browser) -> None:
    browser.delete_cookie("errand")


def _change_password(browser: Browser) -> None:
    """In another browser."""
    User.get(User.username == "ann").set_password(PASSWORD)


def _press(browser: Browser, page, **anew):
    """Press the button of the form that was kept; `anew` is what has to be given again."""
    form = page.one("main form")
    assert len(form.select("button")) == 1
    fields = {}
    for field in form.select("input:not([type=file])"):
        fields.setdefault(field["name"], []).append(field.get("value", ""))
    return browser.post(form["action"], data=fields | anew)


ENDS = {"signed out elsewhere": _end, "the cookie is gone": _lose, "the password was changed": _change_password}
FORMS = {
    "a post": ("/posts", {"body": TYPED}, lambda: Post.get().body == TYPED.replace("\r\n", "\n")),
    "a message": ("/messages/bob", {"body": TYPED}, lambda: Message.get().body == TYPED.replace("\r\n", "\n")),
    "a task": ("/tasks/new/countdown", {"seconds": "41"}, lambda: Task.get().arguments["seconds"] == 41),
    "settings": ("/settings/profile", {"about": "Me", "time_zone": "UTC"}, lambda: _ann().about == "Me"),
    "how one hears": (
        "/notifications/settings",
        {"message": "off", "succeeded": "app", "failed": "app", "mail": "app"},
        lambda: _ann().hearing["message"] == "off",
    ),
}  # fmt: skip


def _ann() -> User:
    return User.get(User.username == "ann")


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_an_older_session_comes_back_and_is_sent_by_one_press(browser, name):
    path, fields, is_done = FORMS[name]
    token = browser.token()
    _sign_in(browser)
    page = browser.post(path, data=fields | {"csrf_token": token, "form_key": "k"})
    assert page.status_code == 400
    assert "ann" in page.one("main form button").text
    assert _press(browser, page).status_code == 303
    assert is_done()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_a_session_that_ended_waits_for_a_sign_in_in_another_tab(browser, end, name):
    path, fields, is_done = FORMS[name]
    token = browser.token()
    ENDS[end](browser)
    page = browser.post(path, data=fields | {"csrf_token": token})
    assert page.status_code in {400, 401}
    assert "You’re signed out" in page.words
    assert page.one("main form a[target=_blank][rel=noopener]")["href"] == "/login"
    again = _press(browser, page)
    assert "You’re signed out" in again.words, "nothing is lost by pressing too early"
    _sign_in(browser)
    assert _press(browser, again).status_code == 303, "and one press is enough"
    assert is_done()


def test_somebody_else_who_signs_in_there_is_told_before_anything_is_sent_in_their_name(browser):
    token = browser.token()
    _end(browser)
    page = browser.post("/posts", data={"body": TYPED, "csrf_token": token})
    _sign_in(browser, "bob")
    again = _press(browser, page)
    assert (again.status_code, Post.select().count()) == (400, 0)
    assert "You’re signed in as bob now" in again.words
    assert again.one("main form button").text == "Send as bob"
    _sign_in(browser)
    third = _press(browser, again)
    assert (third.status_code, third.one("main form button").text) == (400, "Send as ann"), "not unseen either"
    assert _press(browser, third).status_code == 303
    assert Post.get().user == _ann()


def test_files_are_named_and_asked_for_again_and_those_of_a_draft_are_still_there(browser):
    form = {"recipients": "bea@example.com", "subject": "Kept", "template": "free", "body": TYPED}
    browser.submit("/mail/draft", **form, attachment=(io.BytesIO(b"1"), "before.txt"))
    token = browser.token()
    _sign_in(browser)
    sent = form | {"csrf_token": token, "attachment": (io.BytesIO(b"2"), "now.txt")}
    page = browser.post("/mail/draft", data=sent)
    assert "Please choose again: now.txt" in page.words
    assert "still attached" in page.words
    assert "Template My own text" in page.words, "as the page called it, and not as it is kept"
    assert page.one("main form")["enctype"] == "multipart/form-data"
    assert page.one("main form input[type=file]")["name"] == "attachment"
    assert _press(browser, page, attachment=(io.BytesIO(b"2"), "now.txt")).status_code == 303
    assert [file.name for file in MailingFile.select().order_by(MailingFile.id)] == ["before.txt", "now.txt"]


def test_a_press_for_many_comes_back_with_all_that_was_checked(browser):
    tasks = [str(make_task(State.PENDING, _ann()).id) for _ in range(5)]
    token = browser.token()
    _sign_in(browser)
    page = browser.post("/tasks/bulk", data={"csrf_token": token, "action": "cancel", "task": tasks})
    assert "5 selected" in page.words
    assert _press(browser, page).status_code == 303
    assert {task.state for task in Task.select()} == {State.CANCELED}


def test_a_password_is_in_no_answer_and_is_asked_for_again(app):
    browser = browse(app)
    fields = {"username": "cleo", "email": "cleo@example.com", "password": "correct horse"}
    page = browser.post("/register", data=fields | {"csrf_token": browser.token() + "x"})
    assert page.status_code == 400
    assert "correct horse" not in page.text
    assert page.one("main form input[type=password]").get("value") is None
    assert page.one("main form h2").text == "What you typed is still here"
    assert _press(browser, page, password="correct horse").status_code == 303
    assert EmailChange.get().address == "cleo@example.com"


def test_who_tried_too_often_gets_the_form_again_and_is_told_how_long_to_wait(app):
    browser = browse(app)
    for _ in range(PER_ACCOUNT_AT_ADDRESS[0].amount + 1):
        page = browser.submit("/login", username="ann", password="a guess")
    assert page.status_code == 429
    assert "Wait 1 minute" in page.words or "seconds" in page.words
    assert page.one("main form input[name=username]")["value"] == "ann"
    assert "a guess" not in page.text


def test_an_error_of_ours_loses_nothing(app, browser, monkeypatch):
    token = browser.token()
    with monkeypatch.context() as broken:
        broken.setitem(app.view_functions, "posts.create", lambda: 1 / 0)
        page = browser.post("/posts", data={"csrf_token": token, "body": TYPED})
    assert page.status_code == 500
    assert _press(browser, page).status_code == 303
    assert Post.get().body == TYPED.replace("\r\n", "\n")


def test_nothing_typed_is_nothing_kept(browser):
    token = browser.token()
    task = make_task(State.SUCCEEDED, _ann())
    _sign_in(browser)
    for path in ("/logout", "/guest", f"/tasks/{task.id}/deletion", "/mail/draft/deletion", "/notifications/reading"):
        fields = {"csrf_token": token, "form_key": "k"} | ({"body": TYPED} if "draft" in path else {})
        page = browser.post(path, data=fields, headers={"Referer": "http://localhost/tasks"})
        assert (page.status_code, page.page.select("main form")) == (400, []), path
        assert page.one("main a[href='/tasks']")


# Hostile


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://["},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_from_another_site_is_not_recovered(browser, headers):
    for data in ({"body": "Buy this"}, {"body": "Buy this", "csrf_token": browser.token() + "x"}):
        page = browser.post("/posts", data=data, headers=headers)
        assert (page.status_code, page.page.select("main form")) == (400, [])
        assert "Buy this" not in page.text


def test_a_recovered_form_shows_its_fields_and_target_as_text(browser):
    hostile = '"><script>alert(1)</script>{{ 7 * 7 }}'
    token = browser.token()
    _sign_in(browser)
    page = browser.post(f"/posts?{hostile}", data={"body": hostile, hostile: "odd", "csrf_token": token})
    form = page.one("main form")
    assert not form.select("script")
    assert hostile in form.select_one("dl").text
    assert form.select_one("input[name=body]")["value"] == hostile
    assert form["action"].startswith("/posts?")
    assert "This sends the form again as ann." in form.text
    assert form.has_attr("novalidate"), "the server says what is wrong, and at which field"
    assert _press(browser, page).status_code == 303


@pytest.mark.parametrize("path", ["//evil.example/posts", "/\\evil.example", "/posts/../..//evil.example"])
def test_a_kept_form_leads_to_no_other_site(browser, path):
    page = browser.post(path, data={"body": TYPED})
    assert not [form for form in page.page.select("main form") if not form["action"].startswith("/posts")]


def test_a_pass_is_good_for_its_person_and_its_form_alone(app, browser):
    token = browser.token()
    _end(browser)
    page = browser.post("/posts", data={"body": TYPED, "csrf_token": token})
    permit = page.one("main form input[name=kept]")["value"]
    _sign_in(browser)
    other = browse(app)
    _sign_in(other, "bob")
    assert other.post("/posts", data={"body": "x", "kept": permit}).status_code == 400
    assert browser.post("/settings/profile", data={"about": "x", "kept": permit}).status_code == 400
    for forged in (
        "",
        "x",
        permit + "x",
        f"é{permit}",
        URLSafeTimedSerializer("x", salt="errand.kept").dumps([1, "/posts"]),
    ):
        assert browser.post("/posts", data={"body": "x", "kept": forged}).status_code == 400
    assert not Post.select().exists()


def test_nobody_gets_a_pass_for_somebody_else_who_has_no_page_of_theirs(app, browser):
    stranger = browse(app)
    for token in ("", "x", stranger.token(), URLSafeTimedSerializer("x", salt="wtf-csrf-token").dumps("1.x")):
        page = stranger.post("/posts", data={"body": "x", "csrf_token": token, "kept": "x"})
        assert page.status_code in {400, 401}
        assert not page.page.select("input[name=kept]")


def test_a_form_of_an_older_release_whose_token_names_nobody_is_asked_about(app, browser):
    with browser.session_transaction() as session:
        session["csrf_token"] = "0123456789abcdef"
    token = browser.get("/").one("form.composer [name=csrf_token]")["value"]
    assert browser.post("/posts", data={"body": "Still good", "csrf_token": token}).status_code == 303
    _end(browser)
    page = browser.post("/posts", data={"body": TYPED, "csrf_token": token})
    _sign_in(browser)
    again = _press(browser, page)
    assert again.one("main form button").text == "Send as ann"
    assert _press(browser, again).status_code == 303


def test_the_largest_form_costs_a_page_of_about_its_size(browser):
    token = browser.token()
    _sign_in(browser)
    page = browser.post("/posts", data={"body": "x" * 1_000_000, "csrf_token": token})
    assert page.status_code == 400
    assert len(page.data) < 1_000_000 + 10 * MAX_TEXT_SHOWN
    assert "more characters" in page.words
    many = {f"field{number}": "x" for number in range(1900)}
    assert browser.post("/posts", data=many | {"csrf_token": token}).status_code == 400
    assert browser.post("/posts", data=many | {f"more{n}": "x" for n in range(9000)}).status_code == 413
    nul = browser.post("/posts", data={"body": "a\0b", "csrf_token": token})
    assert "\0" not in nul.text


# A page that stays open


def test_a_page_that_htmx_keeps_open_gets_a_new_token_and_sends_on(browser):
    token = browser.token()
    _sign_in(browser)
    headers = HTMX | {"X-Page-Of": str(_ann().id), "HX-Source": "textarea#body"}
    answer = browser.post("/posts/count", data={"body": "abc", "csrf_token": token}, headers=headers)
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (400, "renewed")
    assert "HX-Redirect" not in answer.headers
    assert not answer.page.select("[hx-target='#flashes']"), "who types is not interrupted"
    new = answer.one("hx-partial[hx-target='[name=csrf_token]'] input")["value"]
    assert browser.post("/posts/count", data={"body": "abc", "csrf_token": new}, headers=headers).status_code == 200
    pressed = browser.post("/posts/count", data={"csrf_token": token}, headers=headers | {"HX-Source": "button#x"})
    assert "Please press the button once more." in pressed.one("[hx-target='#flashes']").text


@pytest.mark.parametrize("path", ["/posts/count", "/mail/draft", "/mail/preview", "/tasks/new/import_posts/preview"])
def test_a_page_that_htmx_keeps_open_is_left_alone_when_its_session_ends(browser, path):
    token, owner = browser.token(), {"X-Page-Of": str(_ann().id)}
    for change in (_end, lambda browser: _sign_in(browser, "bob")):
        change(browser)
        answer = browser.post(path, data={"body": TYPED, "csrf_token": token}, headers=HTMX | owner)
        assert answer.status_code == 400
        assert not {"HX-Redirect", "HX-Refresh", "HX-Trigger"} & {name for name, _ in answer.headers}
        assert answer.one("[hx-target='#session']").text.strip()
        assert not answer.page.select("[name=csrf_token]"), "no token for a page of somebody else"


def test_the_404_of_a_task_links_to_the_tasks(browser):
    assert browser.get(f"/tasks/{uuid4()}").one("main a[href='/tasks']").text == "Tasks"
    assert browser.get("/tasks/a/b/c").one("main a[href='/tasks']")


def test_nothing_is_said_to_be_here_that_has_to_be_typed_again(browser):
    fields = {"current": PASSWORD, "password": "correct horse"}
    page = browser.post("/settings/password", data=fields | {"csrf_token": browser.token() + "x"})
    assert page.one("main form h2").text == "Fill in the form again"
    assert "still here" not in page.words
