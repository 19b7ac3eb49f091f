"""What docs/security.md promises of all pages, so that it also holds for the next one."""

from tests.browsing import browse
from tests.webapp.web.site import addresses
from webapp.dev.factories import make_user
from webapp.models import Session, User
from webapp.models.passwords import hash_password

PASSWORD = "a password of a test"
COOKIES = {"errand", "errand-known"}


def _pages(app, browser, site):
    """The pages that somebody can open, with their addresses."""
    for address in addresses(app, "GET", site):
        answer = browser.get(address)
        if answer.mimetype == "text/html" and answer.page.select_one("body > header"):
            yield address, answer


def test_a_new_site_has_no_account(app):
    assert not User.select().exists()


def _password_fields(answer) -> int:
    fields = answer.page.select("input[name*=password], input[autocomplete$=-password]")
    for field in fields:
        assert field["type"] == "password"
        assert field["autocomplete"] in {"current-password", "new-password"}
        assert not {"readonly", "disabled"} & field.attrs.keys()
    return len(fields)


def test_on_each_page_of_somebody_is_the_way_out_and_fields_for_passwords_are_masked(app, ann, site):
    """They are open to password managers and to pasting, too."""
    found = 0
    for address, answer in _pages(app, ann, site):
        if not address.startswith("/unsubscribe/"):  # which knows nobody who is signed in
            assert answer.page.select('form[action="/logout"]'), address
        found += _password_fields(answer)
    assert found


def test_fields_for_passwords_are_masked_for_a_visitor_and_open_to_password_managers(visitor):
    assert [_password_fields(visitor.get(address)) for address in ("/login", "/register")] == [1, 1]


def test_registering_asks_for_a_name_a_password_and_an_address_alone(visitor):
    fields = visitor.get("/register").page.select("main :is(input, select, textarea)")
    asked = {field["name"] for field in fields if field.get("type") != "hidden"}
    assert asked == {"username", "password", "email"}


def _sessions() -> int:
    """How many have begun; a row of an account without its key refuses cookies."""
    return Session.select().where(Session.account_key != "").count()


def test_only_these_pages_begin_a_session(app, site):
    user = make_user("dee", email="dee@example.com")
    User.update(password_hash=hash_password(PASSWORD)).where(User.id == user.id).execute()
    app.config["WTF_CSRF_ENABLED"] = False  # whatever else guards them
    begins = set()
    for number, address in enumerate(addresses(app, "POST", site)):
        before = _sessions()
        name = f"new{number}" if address == "/register" else "dee"
        browse(app).post(address, data={"username": name, "password": PASSWORD, "email": "dee@example.com"})
        if _sessions() > before:
            begins.add(address)
    assert begins == {"/login", "/register", "/guest"}


def test_a_browser_is_given_cookies_of_the_site_alone(app):
    user = make_user("dee")
    User.update(password_hash=hash_password(PASSWORD)).where(User.id == user.id).execute()
    browser = browse(app)
    names = set()
    for answer in (
        browser.get("/login"),
        browser.submit("/login", username="dee", password=PASSWORD),
        *map(browser.get, ("/", "/tasks", "/mail", "/messages", "/settings", "/notifications")),
    ):
        names |= {cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")}
    assert names == COOKIES
