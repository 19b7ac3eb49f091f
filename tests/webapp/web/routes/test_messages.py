"""Private messages: written, read, counted, and seen by two people alone."""

import pytest

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models import Message

HTMX = {"HX-Request": "true"}


def _badge(browser) -> str:
    badge = browser.get("/").one("#message-badge")
    return "" if badge.has_attr("hidden") else badge.text.split()[0]


def test_a_message_is_written_on_a_profile_and_read_in_the_inbox(ann, bob):
    assert ann.get("/people/bob").one('main a[href="/messages/bob#composer"]')
    answer = ann.submit("/messages/bob", body="Are you coming?")
    assert (answer.status_code, answer.location) == (303, "/messages/bob#composer")
    assert "You: Are you coming?" in ann.get("/messages").one("#conversation-bob").text
    row = bob.get("/messages").one("#conversation-ann")
    assert "Are you coming?" in row.text
    assert row.a["href"] == "/messages/ann#composer", "a conversation opens where one writes, not at its oldest message"
    assert row.select_one(".badge").text.split()[0] == "1"
    assert "Are you coming?" in bob.get("/messages/ann").one("#thread").text


def test_the_badge_counts_what_is_unread_and_goes_when_it_is_read(ann, bob):
    assert _badge(bob) == ""
    for number in range(3):
        ann.submit("/messages/bob", body=f"Message {number}")
    assert _badge(bob) == "3"
    assert bob.get("/").page.title.text == "(3) Errand"
    bob.submit("/messages/ann/reading")
    assert _badge(bob) == ""
    assert bob.get("/").page.title.text == "Errand"
    assert _badge(ann) == ""


def test_reading_one_conversation_leaves_the_others_unread(app, ann, bob):
    carl = browse(app, make_user("carl"))
    ann.submit("/messages/bob", body="From Ann")
    carl.submit("/messages/bob", body="From Carl")
    bob.submit("/messages/ann/reading")
    assert _badge(bob) == "1"
    assert "data-unread" in bob.get("/messages").one("#conversation-carl").attrs


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_a_conversation_reads_nothing_until_the_page_says_so(ann, bob, method):
    """A link from elsewhere, or a browser that looks ahead, would else read what its person has not seen."""
    ann.submit("/messages/bob", body="Hello")
    assert bob.open("/messages/ann", method=method).status_code == 200
    assert _badge(bob) == "1"
    page = bob.get("/messages/ann")
    sent = page.one("#thread [hx-trigger=load]")
    assert (sent["hx-post"], sent["hx-include"]) == ("/messages/ann/reading", "#action")
    button = page.one("noscript button")
    assert (button["form"], button["formaction"], button.text) == ("action", "/messages/ann/reading", "Mark as read")
    answer = bob.submit(button["formaction"])
    assert (answer.status_code, answer.location) == (303, "/messages/ann")
    assert _badge(bob) == ""
    assert not bob.get("/messages/ann").page.select("noscript button, #thread [hx-trigger=load]")


def test_opening_a_conversation_reads_its_older_pages_too(ann, bob):
    for number in range(25):
        ann.submit("/messages/bob", body=f"Message {number}")
    Message.update(read_at=Message.created_at).where(Message.id > 5).execute()
    assert bob.get("/messages/ann").one("#thread [hx-trigger=load]")


def test_people_whose_names_begin_alike_do_not_share_a_count(app):
    bo, bob = browse(app, make_user("bo")), browse(app, make_user("bob"))
    bo.submit("/messages/bob", body="For Bob")
    assert (_badge(bo), _badge(bob)) == ("", "1")


def test_an_open_page_hears_of_a_message_at_its_next_poll(ann, bob):
    etag = bob.get("/live?title=Errand", headers=HTMX).headers["ETag"]
    assert bob.get("/live?title=Errand", headers=HTMX | {"If-None-Match": etag}).status_code == 304
    ann.submit("/messages/bob", body="Hello")
    answer = bob.get("/live?title=Tasks", headers=HTMX | {"If-None-Match": etag})
    assert answer.status_code == 200
    assert "(1) Tasks" in answer.text


def test_an_open_conversation_shows_what_arrives_and_reads_it(ann, bob):
    bob.get("/messages/ann")
    ann.submit("/messages/bob", body="Still there?")
    thread = bob.get("/messages/ann/_thread", headers=HTMX)
    assert "Still there?" in thread.text
    assert 'hx-post="/messages/ann/reading"' in thread.text
    assert not Message.get().read_at, "asking for it is not reading it"
    bob.submit("/messages/ann/reading")
    assert Message.get().read_at
    assert "reading" not in bob.get("/messages/ann/_thread", headers=HTMX).text
    assert "· Read" in ann.get("/messages/bob").one("#thread").text


@pytest.mark.parametrize(
    ("body", "words"), [("", "Write a message"), (" \n ", "Write a message"), ("x" * 2001, "2,001")]
)
def test_a_bad_message_is_told_at_the_field_and_not_sent(ann, bob, body, words):
    answer = ann.submit("/messages/bob", body=body)
    assert answer.status_code == 422
    assert words in answer.one("#body-error").text
    assert not Message.select().exists()


def test_the_longest_message_arrives_whole(ann, bob):
    ann.submit("/messages/bob", body="ü" * 2000)
    assert Message.get().body == "ü" * 2000


@pytest.mark.parametrize("path", ["/messages/ann", "/messages/nobody"])
def test_nobody_writes_to_themselves_or_to_nobody(ann, path):
    assert ann.get(path).status_code == 404
    assert ann.submit(path, body="Hello").status_code == 404
    assert not Message.select().exists()


def test_messages_are_for_two_people_alone(app, ann, bob, visitor):
    ann.submit("/messages/bob", body="A secret")
    carl = browse(app, make_user("carl"))
    for path in ("/messages", "/messages/ann", "/messages/bob", "/messages/bob/_thread", "/messages/_inbox"):
        assert "A secret" not in carl.get(path).text
        assert "A secret" not in visitor.get(path).text
    assert "/login" in visitor.get("/messages/bob").location


def test_text_is_text(ann, bob):
    ann.submit("/messages/bob", body="<b>bold</b>")
    assert bob.get("/messages/ann").one("#thread .message p").text == "<b>bold</b>"


def test_a_long_conversation_has_pages(ann, bob):
    for number in range(25):
        Message.send(ann.user, bob.user, f"Message {number}")
    page = bob.get("/messages/ann")
    shown = [item.text for item in page.page.select("#thread .message p")]
    assert shown == [f"Message {number}" for number in range(5, 25)]
    older = bob.get(page.one("#thread a[rel=next]")["href"])
    assert [item.text for item in older.page.select("#thread .message p")] == [f"Message {n}" for n in range(5)]


def test_an_inbox_has_pages(ann):
    for number in range(25):
        Message.send(make_user(f"person{number}"), ann.user, "Hello")
    first = ann.get("/messages")
    assert len(first.page.select(".conversations li")) == 20
    older = first.one('#inbox a[rel="next"]')["href"]
    second = ann.get(older)
    shown = [link.text for link in second.page.select(".conversations strong")]
    assert shown == [f"person{number}" for number in range(4, -1, -1)]
    assert second.one("#inbox")["hx-get"].endswith(older.partition("?")[2]), "and it polls for what it shows"
    assert ann.get("/messages?before=x").status_code == 400
