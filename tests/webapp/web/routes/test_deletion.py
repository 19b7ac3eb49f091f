"""Having one's account deleted, and coming back."""

import re
from datetime import timedelta

import pytest

from tests.browsing import Browser, browse
from tests.phones import Phone
from webapp.dev.account_factories import make_block, make_picture
from webapp.dev.factories import PASSWORD, make_message, make_post, make_task, make_user
from webapp.lib.times import utcnow
from webapp.mail.account_mails import content_of
from webapp.models import AccountMail, Deletion, Message, Session, State, Task, User

PAGE = "/settings/data/deletion"


def _delete(browser: Browser, name: str = "ann"):
    return browser.submit(PAGE, username=name)


@pytest.fixture
def leaving(app, ann) -> User:
    """Ann, who has just had her account deleted."""
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).where(User.id == ann.user.id).execute()
    assert _delete(ann).status_code == 303
    return ann.user


def _in(browser: Browser) -> bool:
    return browser.get("/tasks").status_code == 200


def test_the_page_says_what_goes_and_what_stays(ann):
    for _ in range(2):
        make_post(ann.user)
    make_task(State.IN_PROGRESS, ann.user)
    make_task(State.SCHEDULED, ann.user)
    make_message(ann.user)
    words = ann.get(PAGE).words
    for said in (
        "2 posts",
        "1 task under way is canceled",
        "1 scheduled task or email is canceled",
        "1 message you sent",
    ):
        assert said in words
    assert "0 " not in words.partition("After that")[2].partition("Type ann")[0], "nothing that there is none of"
    assert ann.get("/settings/data").one(f"a[href='{PAGE}']")


@pytest.mark.parametrize(
    ("typed", "said"), [("", "Type your username to confirm."), ("bob", "That’s not the username")]
)
def test_another_name_deletes_nothing(ann, typed, said):
    answer = _delete(ann, typed)
    assert answer.status_code == 422
    assert said in answer.one("#username-error").text
    assert not Deletion.select().exists()


def test_it_is_asked_who_one_is_first(ann):
    Session.update(authenticated_at=utcnow() - timedelta(hours=1)).execute()
    assert ann.get(PAGE).location.startswith("/reauthentication")
    assert "Enter your password to delete your account" in re.sub(r"\s+", " ", _delete(ann).words)
    assert not Deletion.select().exists()


def test_an_account_is_out_of_use_as_soon_as_its_owner_says_so(app, ann, bob):
    elsewhere = browse(app, ann.user)
    make_post(ann.user, "Hello from the mountains")
    make_message(ann.user, bob.user, "Are you there?")
    scheduled, running = make_task(State.SCHEDULED, ann.user), make_task(State.IN_PROGRESS, ann.user)
    User.update(role="admin").where(User.id == ann.user.id).execute()
    answer = _delete(ann, " ANN ")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "out of sight, and will be deleted in 14 days" in ann.get("/").words
    assert not _in(ann)
    assert not _in(elsewhere)
    assert [Task.get_by_id(task.id).state for task in (scheduled, running)] == [State.CANCELED, State.CANCELING]
    assert User.get_by_id(ann.user.id).role is None
    assert bob.get("/people/ann").status_code == bob.get("/messages/ann").status_code == 404
    assert not bob.get("/").page.select(".post")
    assert not bob.get("/?q=mountains").page.select(".post")
    assert "ann" not in re.findall(r"\w+", bob.get("/").words)


def test_others_can_read_what_a_deleted_account_wrote_and_not_reply(ann, bob):
    make_message(ann.user, bob.user, "Are you there?")
    _delete(ann)
    inbox = bob.get("/messages")
    assert inbox.one(".conversations strong").text == "a deleted account"
    path = inbox.one(".conversations a")["href"].partition("#")[0]
    page = bob.get(path)
    assert page.one("h1").text.strip().endswith("a deleted account")
    assert "Are you there?" in page.words
    assert not page.page.select("textarea")
    answer = bob.submit(path, body="Where are you?")
    assert answer.status_code == 422
    assert answer.one("textarea").text == "Where are you?"
    assert "wasn’t sent" in answer.one("#body-error").text
    assert Message.select().count() == 1
    assert browse(bob.application, make_user()).get(path).status_code == 404, "only who has messages of it"


def test_the_right_password_asks_whether_to_keep_it_and_only_that_signs_in(app, ann, leaving, visitor, written):
    lines = written("json")
    make_post(leaving, "Hello")
    assert visitor.submit("/login", username="ann", password="wrong battery horse").status_code == 422
    answer = visitor.submit("/login?next=/tasks", username="Ann", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/login/keep?next=/tasks")
    page = visitor.get(answer.location)
    assert "The account ann will be deleted on" in page.words
    assert not _in(visitor)
    answer = visitor.submit(answer.location)
    assert (answer.status_code, answer.location) == (303, "/tasks")
    told = [(line["event"], line["account_id"]) for line in lines.objects("errand.security")]
    assert ("account deletion canceled", leaving.id) in told
    assert "Welcome back" in visitor.get("/tasks").words
    assert visitor.get("/people/ann").status_code == 200
    assert "Hello" in visitor.get("/").words
    assert visitor.submit("/login/keep").location == "/login", "a copy of the cookie keeps nothing"


def test_a_second_factor_is_asked_for_as_always(app, monkeypatch, visitor):
    phone = Phone(monkeypatch)
    phone.pair(person := make_user("ann"))
    Deletion.begin(person)
    assert visitor.submit("/login", username="ann", password=PASSWORD).location == "/login/code"
    assert ", ann." in visitor.get("/login/code").words
    assert visitor.submit("/login/keep").location == "/login"
    assert visitor.submit("/login/code", code=phone.next_code()).location == "/login/keep"
    assert visitor.submit("/login/keep").location == "/"
    assert _in(visitor)


def test_the_mail_has_a_link_that_keeps_the_account_once(app, leaving, visitor):
    mail = AccountMail.get()
    assert mail.address == "ann@example.com"
    with app.test_request_context():
        text = content_of(mail).text
    assert "Hi ann," in text
    path = re.search(r"http://localhost(/email/keep/\S+)", text)[1]
    assert "The account ann will be deleted on" in visitor.get(path).words
    assert Deletion.select().exists(), "opening it keeps nothing: programs that check mail do that"
    answer = visitor.submit(path)
    assert "ann is visible again" in answer.words
    assert not _in(visitor)
    assert visitor.get(path).status_code == visitor.submit(path).status_code == 410
    with app.test_request_context():
        assert content_of(mail) is None


def test_a_mail_that_comes_late_says_nothing_of_another_account(app, leaving):
    mail, before = AccountMail.get(), Deletion.get()
    assert before.take_back()
    with app.test_request_context():
        assert content_of(mail) is None, "it is kept, although its posts are not shown again yet"
        before.delete_instance()
        assert Deletion.begin(make_user("bob")).id == before.id, "as SQLite has it"
        assert content_of(mail) is None


def test_it_is_too_late_once_the_days_are_over(app, leaving, visitor):
    Deletion.update(due_at=utcnow()).execute()
    assert visitor.submit("/login", username="ann", password=PASSWORD).status_code == 422


def test_two_presses_delete_one_account(app, ann, written):
    lines = written("json")
    other = browse(app, ann.user)
    token = other.token()
    assert _delete(ann).status_code == 303
    other.post(PAGE, data={"csrf_token": token, "username": "ann"})
    assert Deletion.select().count() == 1
    told = [(line["event"], line["account_id"]) for line in lines.objects("errand.security")]
    assert told == [("account deletion asked", ann.user.id)]


def test_a_guest_is_told_that_there_is_no_way_back(app):
    guest = browse(app, make_user("calm-owl-1", guest=True))
    assert "can’t come back to this account" in guest.get(PAGE).words
    assert _delete(guest, "calm-owl-1").status_code == 303
    assert "Your account is deleted." in guest.get("/").words
    assert Deletion.get().due_at <= utcnow()


def test_their_picture_is_gone_and_whom_they_wrote_to_finds_no_button_that_does_nothing(app, ann, bob):
    make_message(ann.user, bob.user, "Hello")
    make_block(bob.user, ann.user)
    picture = f"/pictures/{make_picture(ann.user).version}/64"
    assert bob.get(picture).status_code == 200
    _delete(ann)
    assert bob.get(picture).status_code == 404
    page = bob.get(bob.get("/messages").one(".conversations a")["href"])
    assert "Hello" in page.words
    assert "a deleted account" in page.one("h1").text
    assert not page.page.select("main form")
