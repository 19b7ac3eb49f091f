"""Changing the user name: what leads on, who may have which name, how often, and who is told."""

import logging
from datetime import timedelta

import pytest

from tasks.mail_account import line_up_account_mails
from tests.browsing import browse
from tests.phones import Phone
from tests.racing import race
from webapp.dev.factories import PASSWORD, make_message, make_user
from webapp.lib.times import utcnow
from webapp.models import (
    AccountMail,
    FormerName,
    Message,
    Notification,
    RateCount,
    Session,
    User,
    UsernameTaken,
    rename,
)
from webapp.models.renaming import MOST
from webapp.web import rate_limits

HTMX = {"HX-Request": "true"}


def _rename(browser, name: str):
    return browser.submit("/settings/username", username=name)


def _end_of_names() -> None:
    FormerName.update(until=utcnow() - timedelta(seconds=1)).execute()


def test_a_name_is_changed_and_the_one_before_leads_on(ann, bob, visitor):
    make_message(bob.user, ann.user)
    answer = _rename(ann, "Anna")
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert "You’re Anna now." in ann.get("/settings").words
    answer = visitor.get("/people/ann?q=a+b&before=")
    assert (answer.status_code, answer.location) == (302, "/people/Anna?q=a+b&before=")
    answer = bob.get("/messages/ANN")
    assert (answer.status_code, answer.location) == (302, "/messages/Anna")
    assert bob.get("/messages/Anna").status_code == 200
    assert visitor.get("/people/Anna").one("h1").text == "Anna"


def test_what_an_open_page_sends_and_asks_for_reaches_the_same_person(ann, bob):
    make_message(ann.user, bob.user, "Hello")
    _rename(ann, "anna")
    assert bob.submit("/messages/ann", body="To the same").status_code == 303
    assert Message.get(Message.body == "To the same").recipient_id == ann.user.id
    assert "Hello" in bob.get("/messages/ann/_thread", headers=HTMX).text
    assert bob.submit("/messages/ann/reading", headers=HTMX).status_code == 200
    assert not Message.is_unread(bob.user, ann.user)


def test_the_open_pages_of_those_one_writes_with_learn_of_it(ann, bob):
    make_message(bob.user, ann.user)
    tag = bob.get("/messages/_inbox", headers=HTMX).headers["ETag"]
    _rename(ann, "anna")
    assert "anna" in bob.get("/messages/_inbox", headers=HTMX | {"If-None-Match": tag}).text


def test_a_notification_of_before_leads_to_the_conversation(ann, bob):
    make_message(ann.user, bob.user)
    _rename(ann, "anna")
    notification = bob.get("/notifications").one("#notices li a")
    assert "ann" in notification.text
    assert notification["href"] == "/messages/anna#composer"
    assert Notification.of(bob.user).count() == 1


@pytest.mark.parametrize("name", ["ann", "ANN", "a-n-n", "an.n"])
def test_nobody_else_takes_a_name_that_leads_on_or_one_like_it(ann, bob, visitor, name):
    _rename(ann, "somebody")
    answer = _rename(bob, name)
    assert answer.status_code == 422
    assert answer.one("#username")["value"] == name
    assert answer.one("#username-error").text.strip().startswith("That username is t")
    fields = {"username": name, "password": "a password of theirs", "email": ""}
    assert visitor.submit("/register", **fields).status_code == 422
    _end_of_names()
    assert _rename(bob, name).status_code == 303
    assert visitor.get("/people/ann").status_code == (404 if name.lower() != "ann" else 200)


def test_ones_own_name_of_before_is_free_to_oneself(ann):
    _rename(ann, "anna")
    assert _rename(ann, "a.n.n").status_code == 303
    assert _rename(ann, "ann").status_code == 303
    assert {row.key for row in FormerName.select()} == {"anna", "a.n.n"}
    assert User.get_by_id(ann.user.id).skeleton == "ann"


def test_another_case_is_another_name_and_leads_on_by_itself(ann, visitor):
    assert _rename(ann, "Ann").status_code == 303
    assert User.get_by_id(ann.user.id).username == "Ann"
    assert not FormerName.select().exists()
    assert visitor.get("/people/ann").status_code == 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Choose a username."),
        ("x", "2 to 30 letters"),
        ("admin", "That username is reserved."),
        ("bob", "That username is taken."),
        ("b.o.b", "too similar to someone else’s"),
    ],
)
def test_the_rules_are_those_of_a_first_name(ann, name, words):
    make_user("bob")
    answer = _rename(ann, name)
    assert answer.status_code == 422
    assert words in answer.one("#username-error").text
    assert User.get_by_id(ann.user.id).username == "ann"


def test_a_second_press_changes_nothing_and_counts_nothing(ann):
    for _ in range(MOST + 2):
        assert _rename(ann, "anna").status_code == 303
    assert "You’re still anna." in ann.get("/settings").words
    assert _rename(ann, "anne").status_code == 303


def test_after_three_changes_it_says_when_the_next_one_can_be(ann):
    for name in ("ann1", "ann2", "ann3"):
        assert _rename(ann, name).status_code == 303
    answer = _rename(ann, "ann4")
    assert answer.status_code == 429
    assert 29 * 24 * 3600 < int(answer.headers["Retry-After"]) <= 30 * 24 * 3600
    assert "You’ve changed your username 3 times in 30 days. You can change it again on " in answer.words
    assert answer.one("#username")["value"] == "ann4"
    assert User.get_by_id(ann.user.id).username == "ann3"


def test_a_refused_name_uses_no_change_up(ann):
    make_user("bob")
    for _ in range(MOST + 1):
        assert _rename(ann, "bob").status_code == 422
    assert not RateCount.select().where(RateCount.number > MOST).exists()
    assert _rename(ann, "anna").status_code == 303


def test_of_two_who_want_the_same_name_one_gets_it(each_database):
    people = [make_user(name) for name in ("ann", "bob", "carol", "dee")]
    waiting = list(people)
    results = race(4, lambda: rename(waiting.pop(), "somebody"))
    assert sorted(map(str, results)) == sorted(["True", *["That username is taken."] * 3])
    assert all(result is True or isinstance(result, UsernameTaken) for result in results)
    assert User.select().where(User.username_key == "somebody").count() == 1
    assert FormerName.select().count() == 1


def test_the_change_asks_for_the_password_and_keeps_what_was_typed(ann):
    Session.update(authenticated_at=utcnow() - timedelta(hours=1)).execute()
    assert ann.get("/settings/username").status_code == 303
    answer = _rename(ann, "anna")
    assert answer.status_code == 422
    assert "Enter your password to change your username" in answer.words
    assert answer.one("input[name=username]")["value"] == "anna"
    proof = {"reauthentication_password": PASSWORD, "username": "anna"}
    assert ann.submit("/settings/username", **proof).status_code == 303


def test_a_guest_chooses_a_name_without_a_password(app):
    guest = browse(app, make_user("calm-otter-1234", guest=True))
    assert _rename(guest, "otto").status_code == 303
    assert browse(app).get("/people/calm-otter-1234").location == "/people/otto"


def test_it_is_told_by_mail_and_logged_without_a_name(app, mailserver, ann, run_tasks, caplog):
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    with caplog.at_level(logging.INFO, logger="errand.security"):
        _rename(ann, "anna")
    [line] = [record for record in caplog.records if record.msg == "Security: %s"]
    assert line.fields["event"] == "username changed"
    assert "anna" not in str(line.fields)
    line_up_account_mails(10)
    run_tasks()
    [mail] = mailserver.mails
    assert "username was changed" in mail["Subject"]
    assert "anna" not in mail["Subject"]
    text = mail.get_body(("plain",)).get_content()
    assert "from ann to anna" in text
    assert "For 90 days" in text
    assert not AccountMail.select().exists()


# Signing in by a name of before, and what protects it


def test_one_signs_in_by_either_name_for_as_long_as_the_old_one_leads_on(app, ann):
    _rename(ann, "anna")
    for name in ("ann", "anna"):
        assert browse(app).submit("/login", username=name, password=PASSWORD).status_code == 303
    answer = browse(app).submit("/login", username="ann", password="wrong")
    assert "Wrong username or password." in answer.words
    assert "anna" not in answer.words
    _end_of_names()
    assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 422


def test_guesses_by_a_name_of_before_count_as_those_by_the_present_one(app, ann, monkeypatch):
    monkeypatch.setattr(rate_limits, "PER_ACCOUNT", rate_limits.parse_many("3 per hour"))
    _rename(ann, "anna")
    statuses = []
    for number, name in enumerate(["ann", "anna", "ANN", "anna", "ann"]):
        browser = browse(app)
        browser.environ_base["REMOTE_ADDR"] = f"198.18.{number}.1"
        statuses.append(browser.submit("/login", username=name, password="wrong").status_code)
    assert statuses == [422, 422, 422, 429, 429]


def test_a_browser_that_knows_the_account_by_a_name_of_before_is_no_new_one(app, ann, monkeypatch):
    """Guesses of others do not lock its owner out there, and no sign-in from a new browser is told."""
    monkeypatch.setattr(rate_limits, "PER_ACCOUNT", rate_limits.parse_many("1 per hour"))
    elsewhere = browse(app)
    assert elsewhere.submit("/login", username="ann", password=PASSWORD).status_code == 303
    elsewhere.submit("/logout")
    told = Notification.of(ann.user).count()
    _rename(ann, "anna")
    for number in range(2):
        guessing = browse(app)
        guessing.environ_base["REMOTE_ADDR"] = f"198.18.{number}.1"
        guessing.submit("/login", username="anna", password="wrong")
    assert browse(app).submit("/login", username="anna", password=PASSWORD).status_code == 429
    assert elsewhere.submit("/login", username="anna", password=PASSWORD).status_code == 303
    assert Notification.of(ann.user).count() == told


def test_a_browser_that_had_the_second_factor_has_it_under_the_new_name(app, monkeypatch):
    phone, ann = Phone(monkeypatch), make_user("ann")
    phone.pair(ann)
    browser = browse(app)

    def wrong_code() -> int:
        browser.submit("/login", username="ann", password=PASSWORD)
        return browser.submit("/login/code", code="000000").status_code

    browser.submit("/login", username="ann", password=PASSWORD)
    assert browser.submit("/login/code", code=phone.next_code()).status_code == 303
    browser.submit("/logout")
    rename(ann, "anna")
    monkeypatch.setattr("webapp.web.code_attempts.PER_ACCOUNT", rate_limits.parse_many("1 per day"))
    stranger = browse(app)
    for _ in range(2):
        stranger.submit("/login", username="anna", password=PASSWORD)
        status = stranger.submit("/login/code", code="000000").status_code
    assert status == 429
    assert wrong_code() == 422, "it has an allowance of its own"


def test_names_that_lead_nowhere_any_more_are_purged(ann):
    _rename(ann, "anna")
    assert FormerName.purge(10) == 0
    _end_of_names()
    assert FormerName.purge(10) == 1
