"""Messages that their sender changes or deletes, and what the recipient still hears of them."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from tests.webapp.web.site import HTMX
from webapp.dev.factories import make_message, make_user
from webapp.lib.times import utcnow
from webapp.models import Conversation, Message, Notification


@pytest.fixture
def message(ann, bob):
    """A message of Ann's to Bob, which he has not read."""
    return make_message(ann.user, bob.user, "See you at nein")


def _age(message: Message, minutes: int) -> None:
    Message.update(created_at=utcnow() - timedelta(minutes=minutes)).where(Message.id == message.id).execute()


def _unread(user) -> tuple[int, int]:
    return Notification.unread_messages(user), Conversation.get(Conversation.user == user).unread


def test_a_message_is_edited_and_both_see_that_at_their_next_poll(each_database, ann, bob, message):
    link = ann.get("/messages/bob").one(f"#message-{message.id} a")
    assert "Edit or delete your message of" in link.text
    before = bob.get("/messages/ann/_thread", headers=HTMX).headers["ETag"]
    page = ann.get(link["href"])
    version = page.one("form input[name=version]")["value"]
    answer = ann.submit(link["href"], body="See you at nine", version=version)
    assert (answer.status_code, answer.location) == (303, f"/messages/bob#message-{message.id}")
    thread = bob.get("/messages/ann/_thread", headers=HTMX | {"If-None-Match": before})
    assert "See you at nine" in thread.text
    assert "Edited" in thread.one(f"#message-{message.id}").text
    assert _unread(bob.user) == (1, 1)
    assert "See you at" in bob.get("/messages?q=nine").one("main").text
    assert not bob.get("/messages?q=nein").page.select(".conversations")


def test_after_fifteen_minutes_it_can_only_be_deleted_and_what_was_typed_is_kept(ann, message):
    _age(message, 16)
    address = f"/messages/bob/{message.id}"
    page = ann.get(address)
    assert not page.page.select("textarea")
    assert "15 minutes" in page.one("main").text
    answer = ann.submit(address, body="Too late", version=Message.get().version)
    assert answer.status_code == 422
    assert "15 minutes" in answer.one("#body-error").text
    assert answer.one("textarea#body").text.strip() == "Too late"
    assert Message.get().body == "See you at nein"


def test_of_two_tabs_the_second_is_told(ann, message):
    address = f"/messages/bob/{message.id}"
    ann.submit(address, body="One", version=message.version)
    answer = ann.submit(address, body="Two", version=message.version)
    assert answer.status_code == 422
    assert "another tab" in answer.one("#body-error").text
    version = answer.one("form.form input[name=version]")["value"]
    assert ann.submit(address, body="Two", version=version).status_code == 303
    assert Message.get().body == "Two"


def test_a_deleted_message_leaves_its_place_and_nothing_else(each_database, ann, bob, message):
    make_message(ann.user, bob.user, "Another")
    Message.update(mail_due_at=utcnow()).execute()
    for words in ("Message deleted.", "already deleted"):
        answer = ann.submit(f"/messages/bob/{message.id}/deletion")
        assert (answer.status_code, answer.location) == (303, f"/messages/bob#message-{message.id}")
        assert words in ann.get("/messages/bob").one("#flashes").text
    for reader, other in ((ann, "bob"), (bob, "ann")):
        place = reader.get(f"/messages/{other}").one(f"#message-{message.id}")
        assert "Message deleted" in place.text
        assert not place.select("a")
        assert "nein" not in reader.get(f"/messages/{other}").text
        assert not reader.get("/messages?q=nein").page.select(".conversations")
    assert _unread(bob.user) == (1, 1)
    assert [due.body for due in Message.select().where(Message.mail_due_at.is_null(False))] == ["Another"]
    assert Notification.is_any_unread(bob.user, Notification.sender == ann.user)
    for path in ("", "/report"):
        assert bob.get(f"/messages/ann/{message.id}{path}").status_code == 404


def test_with_the_last_unread_one_goes_what_told_of_it(ann, bob, message):
    assert Notification.is_any_unread(bob.user, Notification.sender == ann.user)
    ann.submit(f"/messages/bob/{message.id}/deletion")
    assert _unread(bob.user) == (0, 0)
    assert not Notification.is_any_unread(bob.user, Notification.sender == ann.user)
    assert "Message deleted" in bob.get("/messages").one("#conversation-ann").text
    assert ann.submit("/messages/bob", body="See you at nein").status_code == 303, "it is not asked about again"


def test_one_that_was_read_can_be_deleted_too(ann, bob, message):
    bob.submit("/messages/ann/reading")
    read_at = Message.get().read_at
    ann.submit(f"/messages/bob/{message.id}/deletion")
    assert (Message.get().body, Message.get().read_at, _unread(bob.user)) == ("", read_at, (0, 0))
    assert ann.submit(f"/messages/bob/{message.id}", body="Again").status_code == 404


def test_nobody_changes_what_somebody_else_wrote(app, ann, bob, message):
    carl = browse(app, make_user("carl"))
    for browser, address in (
        (bob, f"/messages/ann/{message.id}"),
        (carl, f"/messages/ann/{message.id}"),
        (carl, f"/messages/bob/{message.id}"),
        (ann, f"/messages/carl/{message.id}"),
    ):
        assert browser.submit(address, body="Mine now").status_code == 404
        assert browser.submit(f"{address}/deletion").status_code == 404
    assert carl.get(f"/messages/bob/{message.id}").status_code == 404
    assert Message.get().body == "See you at nein"
