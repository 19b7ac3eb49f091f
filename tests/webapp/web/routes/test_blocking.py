"""Blocking: who is blocked cannot write, is not heard, and learns no more than that."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from tests.webapp.web.site import HTMX
from webapp.dev.account_factories import make_block
from webapp.dev.factories import make_message, make_post, make_posts, make_user
from webapp.lib.times import utcnow
from webapp.models import Block, Blocked, Message, Notification, User, blocking
from webapp.models.message_changes import edit


def _badge(browser) -> str:
    badge = browser.get("/").one("#message-badge")
    return "" if badge.has_attr("hidden") else badge.text.split()[0]


def _shown(page) -> list[str]:
    return [article["id"] for article in page.page.select("article.post")]


def test_who_is_blocked_cannot_write_and_loses_nothing_that_they_typed(each_database, ann, bob):
    button = ann.get("/people/bob").one("form[action='/people/bob/block'] button")
    assert button.text.strip() == "Block bob"
    assert ann.submit("/people/bob/block").location == "/people/bob"
    answer = bob.submit("/messages/ann", body="Why?")
    assert answer.status_code == 422
    assert answer.one("#body-error").text == "You can’t message ann."
    assert answer.one("textarea#body").text.strip() == "Why?"
    assert "lock" not in bob.get("/people/ann").one("main").text.replace("Block", "")
    assert not Message.select().exists()
    assert _badge(ann) == ""


def test_who_blocks_cannot_write_either_until_they_unblock(ann, bob):
    make_block(ann.user, bob.user)
    page = ann.get("/messages/bob")
    assert not page.page.select("textarea")
    assert page.one("form[action='/people/bob/unblock'] button").text == "Unblock bob"
    answer = ann.submit("/messages/bob", body="And another thing")
    assert answer.status_code == 422
    assert "You blocked bob." in answer.one("#body-error").text
    assert answer.one("textarea#body").text.strip() == "And another thing"
    assert (
        ann.submit("/people/bob/unblock", headers={"Referer": "http://localhost/messages/bob"}).location
        == "/messages/bob"
    )
    assert ann.submit("/messages/bob", body="And another thing").status_code == 303
    assert bob.submit("/messages/ann", body="Yes?").status_code == 303


def test_what_was_unread_leaves_the_badge_without_being_read_and_comes_back(each_database, ann, bob):
    carl = make_user("carl")
    make_message(bob.user, ann.user)
    make_message(carl, ann.user)
    Message.update(mail_due_at=utcnow()).execute()
    before = ann.get("/live", headers=HTMX).headers["ETag"]
    ann.submit("/people/bob/block")
    assert ann.get("/live", headers=HTMX | {"If-None-Match": before}).status_code == 200
    assert _badge(ann) == "1"
    row = ann.get("/messages").one("#conversation-bob")
    assert row.select_one(".badge").text == "Blocked"
    assert not row.has_attr("data-unread")
    assert "Read" not in bob.get("/messages/ann").one("#thread").text
    assert not Notification.is_any_unread(ann.user, Notification.sender == bob.user)
    assert [due.sender_id for due in Message.select().where(Message.mail_due_at.is_null(False))] == [carl.id]
    make_message(carl, ann.user)
    assert _badge(ann) == "2"
    ann.submit("/people/bob/unblock")
    assert _badge(ann) == "3"


def test_nothing_of_who_is_blocked_is_on_the_timeline_or_found(each_database, ann, bob):
    hers, his = make_post(ann.user, "Plum cake"), make_post(bob.user, "Plum spam")
    rest = [f"post-{hers.id}"]
    make_block(ann.user, bob.user)
    assert _shown(ann.get("/")) == _shown(ann.get("/?q=plum")) == _shown(ann.get("/?q=pl")) == rest
    assert _shown(bob.get("/")) == _shown(bob.get("/?q=plum")) == [f"post-{his.id}", *rest]
    assert _shown(ann.get("/people/bob")) == [f"post-{his.id}"], "unless one looks for it"


def test_pages_go_on_past_whatever_many_posts_of_who_is_blocked(each_database, ann, bob, monkeypatch):
    monkeypatch.setattr("webapp.models.searched_rows.FEW", 5)
    monkeypatch.setattr("webapp.models.searched_rows.SEARCHED", 20)
    old = utcnow() - timedelta(days=9)
    hers = make_post(ann.user, "The oldest", created_at=old)
    make_posts(bob.user, 50)
    make_block(ann.user, bob.user)
    page, seen, links = ann.get("/"), [], 0
    assert "by people you blocked" in page.one("#timeline").text
    while following := page.page.select("#pages a"):
        seen += _shown(page)
        page, links = ann.get(following[0]["href"]), links + 1
    assert [*seen, *_shown(page)] == [f"post-{hers.id}"]
    assert links == 2, "twenty rows are looked at for each page"


def test_who_blocks_is_not_told_of_posts_that_they_do_not_see(ann, bob):
    make_post(bob.user)
    make_block(ann.user, bob.user)
    poll = ann.get("/").one("#new-posts")["hx-get"]
    make_post(bob.user)
    assert not ann.get(poll, headers=HTMX).one("#new-posts").text.strip()
    make_post(make_user())
    assert ann.get(poll, headers=HTMX).one("#new-posts").text.strip() == "1 new post"
    assert "shown" not in bob.get("/").one("#new-posts")["hx-get"]


def test_the_page_costs_nobody_else_a_query(ann, bob, queries):
    make_posts(bob.user, 30)

    def cost() -> int:
        with queries() as seen:
            ann.get("/")
        return seen.count

    cost()
    before = cost()
    make_block(ann.user, make_user())
    assert cost() <= before + 2
    blocking.unblock(ann.user, Block.get().blocked)
    assert cost() == before


def test_an_edit_is_no_way_around_it(ann, bob):
    message = make_message(bob.user, ann.user, "Hello")
    make_block(ann.user, bob.user)
    with pytest.raises(Blocked):
        edit(bob.user, message, "Rude")
    answer = bob.submit(f"/messages/ann/{message.id}", body="Rude", version=message.version)
    assert (answer.status_code, answer.one("#body-error").text) == (422, "You can’t message ann.")
    assert bob.submit(f"/messages/ann/{message.id}/deletion").status_code == 303, "but it can be taken back"


def test_whom_one_blocks_is_listed_in_the_settings(ann, bob):
    assert "haven’t blocked anybody" in ann.get("/settings/blocked").one("main").text
    make_block(ann.user, bob.user)
    row = ann.get("/settings/blocked").one("ul.sessions li")
    assert "bob" in row.text
    assert row.button.text == "Unblock bob"
    back = {"Referer": "http://localhost/settings/blocked"}
    assert ann.submit(row.form["action"], headers=back).location == "/settings/blocked"
    assert not Block.select().exists()
    assert User.get_by_id(ann.user.id).blocks_since is None
    for _ in range(21):
        make_block(ann.user)
    first = ann.get("/settings/blocked")
    assert len(first.page.select("ul.sessions li")) == 20
    assert len(ann.get(first.one("#pages a")["href"]).page.select("ul.sessions li")) == 1


def test_a_second_press_changes_nothing_and_there_is_a_most(ann, bob, monkeypatch):
    for words in ("You blocked bob.", "You already blocked bob."):
        ann.submit("/people/bob/block")
        assert words in ann.get("/people/bob").one("#flashes").text
    monkeypatch.setattr(blocking, "MOST_BLOCKED", 1)
    make_user("carl")
    ann.submit("/people/carl/block")
    assert "You can block 1,000 people." in ann.get("/").one("#flashes").text
    for words in ("You unblocked bob.", "bob wasn’t blocked."):
        ann.submit("/people/bob/unblock")
        assert words in ann.get("/people/bob").one("#flashes").text


def test_nobody_blocks_themselves_nobody_or_without_an_account(app, ann):
    for name in ("ann", "nobody"):
        for what in ("block", "unblock"):
            assert ann.submit(f"/people/{name}/{what}").status_code == 404
    assert browse(app).submit("/people/ann/block").status_code in {303, 401}
    assert not Block.select().exists()
