"""A suspended account at each door: nobody is let in, nobody else learns of it, and what others need still works."""

import pytest

from tests.browsing import browse
from tests.phones import Phone
from webapp.dev.desk_factories import make_suspension
from webapp.dev.factories import PASSWORD, make_message, make_post, make_user
from webapp.mail.unsubscribing import token_of
from webapp.models import AccountMail, Deletion, Message, Session, Suspension, User
from webapp.models.password_reset import PasswordReset, reset_token

WHY = "This account is suspended: Sends spam."
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ann(app):
    return make_user("ann", email="ann@example.com")


def suspend(user: User) -> None:
    assert Suspension.begin(user, "Sends spam.")


def test_who_is_signed_in_in_two_tabs_is_out_in_both_at_once(app, ann):
    one, other = browse(app, ann), browse(app, ann)
    known = one.get("/live", headers=HTMX).headers["ETag"]
    assert one.get("/live", headers=HTMX | {"If-None-Match": known}).status_code == 304
    token = other.token()
    suspend(ann)
    assert one.get("/live", headers=HTMX | {"If-None-Match": known}).status_code == 401
    assert one.get("/tasks").location.startswith("/login")
    answer = other.post("/posts", data={"csrf_token": token, "body": "more spam"})
    assert answer.status_code in (303, 401)
    assert not ann.posts.exists()


def test_only_who_has_the_password_reads_that_and_why(app, ann, written):
    suspend(ann)
    lines = written("json")
    told = browse(app).submit("/login", username="ann", password=PASSWORD)
    assert told.status_code == 403
    assert told.one("main h1").text == "You can’t use this account for now"
    assert WHY in told.words
    assert told.headers["Cache-Control"] == "no-store"
    assert [line["event"] for line in lines.objects("errand.security")] == ["suspended account refused"]
    wrong = browse(app).submit("/login", username="ann", password="a wrong password")
    nobody = browse(app).submit("/login", username="nobody", password="a wrong password")
    assert wrong.status_code == nobody.status_code == 422
    assert "suspended" not in wrong.words
    assert not Session.select().where(Session.account_key != "").exists()


def test_to_register_by_name_and_password_is_no_way_around(app, ann):
    suspend(ann)
    answer = browse(app).submit("/register", username="ann", password=PASSWORD, email="")
    assert (answer.status_code, WHY in answer.words) == (403, True)


def test_who_has_a_second_factor_reads_it_after_the_code(app, ann, monkeypatch):
    phone = Phone(monkeypatch)
    phone.pair(ann)
    suspend(ann)
    browser = browse(app)
    first = browser.submit("/login", username="ann", password=PASSWORD)
    assert first.status_code == 303, "the password alone tells nothing"
    told = browser.submit(first.location, code=phone.next_code())
    assert (told.status_code, WHY in told.words) == (403, True)


def test_half_a_sign_in_is_over(app, ann, monkeypatch):
    phone = Phone(monkeypatch)
    phone.pair(ann)
    browser = browse(app)
    first = browser.submit("/login", username="ann", password=PASSWORD)
    suspend(ann)
    assert browser.submit(first.location, code=phone.next_code()).location == "/login"


def test_a_new_password_may_be_set_and_signs_in_to_nothing(app, ann):
    suspend(ann)
    reset = PasswordReset.by_token(reset_token(User.get_by_id(ann.id), ["secret"]), ["secret"])
    assert reset.set_password("quite another password")
    answer = browse(app).submit("/login", username="ann", password="quite another password")
    assert (answer.status_code, WHY in answer.words) == (403, True)


def test_an_account_that_is_kept_instead_of_deleted_is_still_suspended(app, ann):
    suspend(ann)
    Deletion.begin(User.get_by_id(ann.id))
    browser = browse(app)
    asked = browser.submit("/login", username="ann", password=PASSWORD)
    assert asked.location == "/login/keep"
    told = browser.submit("/login/keep")
    assert (told.status_code, WHY in told.words) == (403, True)
    assert browser.get("/tasks").location.startswith("/login")


def test_its_posts_and_its_profile_are_shown_to_nobody_and_again_afterwards(app, ann):
    post = make_post(ann, "Buy my pills")
    User.update(about="Pills!").where(User.id == ann.id).execute()
    suspend(ann)
    bob = browse(app, make_user())
    for path in ("/", "/?q=pills", "/people/ann"):
        page = bob.get(path)
        assert page.status_code == 200
        assert "pills" not in " ".join(each.text.lower() for each in page.page.select("article, .about")), path
    assert bob.get(f"/posts/{post.id}/report").status_code == 404
    assert "This account is suspended." in bob.get("/people/ann").words
    Suspension.lift(ann)
    assert "Buy my pills" in bob.get("/people/ann").words


def test_nobody_can_write_to_it_and_what_was_written_stays(app, ann):
    bob = make_user("bob")
    make_message(ann, bob, "Hello")
    suspend(ann)
    browser = browse(app, bob)
    page = browser.get("/messages/ann")
    assert "Hello" in page.words
    assert not page.page.select("textarea")
    answer = browser.submit("/messages/ann", body="Are you there?")
    assert answer.status_code == 422
    assert "This account is suspended, so your message wasn’t sent." in answer.words
    assert Message.select().count() == 1


def test_its_picture_is_shown_nowhere_while_it_is_suspended(app, ann):
    User.update(picture_version="a" * 32).where(User.id == ann.id).execute()
    bob = make_user("bob")
    make_message(ann, bob)
    reader = browse(app, bob)
    for suspended in (False, True):
        if suspended:
            suspend(ann)
        for url in ("/messages", "/messages/ann", "/people/ann"):
            assert bool(reader.get(url).page.select("main img.avatar")) is not suspended, url


def test_unsubscribing_from_its_mails_works(app, ann):
    suspend(ann)
    with app.app_context():
        token = token_of(ann, "bea@example.com", app.config["SECRET_KEY"])
    assert browse(app).submit(f"/unsubscribe/{token}").status_code in (200, 303)


def test_its_owner_is_told_by_mail_once_each_time(app, ann):
    suspend(ann)
    assert Suspension.begin(User.get_by_id(ann.id), "Again.") is None
    Suspension.lift(ann)
    assert Suspension.lift(ann) is None
    told = [(mail.kind, mail.arguments) for mail in AccountMail.select().order_by(AccountMail.id)]
    assert told == [("suspended", {"reason": "Sends spam."}), ("reinstated", {})]


def test_signing_in_and_open_pages_ask_the_database_no_more_often_than_for_anybody(app, ann, queries):
    browser = browse(app, ann)
    browser.get("/tasks")
    make_suspension(make_user())
    with queries() as seen:
        User.by_session_key("no such key")
    assert len(seen.get_queries()) == 1


def test_a_guest_is_kept_out_while_suspended_and_let_in_again_afterwards(app):
    guest = make_user(guest=True)
    browser = browse(app, guest)
    suspend(guest)
    assert browser.get("/tasks").location.startswith("/login")
    Suspension.lift(guest)
    assert browser.get("/tasks").status_code == 200
