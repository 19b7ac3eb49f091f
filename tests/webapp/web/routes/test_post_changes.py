"""One post: its page, and how its author changes or deletes it."""

import pytest

from tests.browsing import browse
from tests.webapp.web.site import HTMX
from webapp.dev.factories import make_post, make_user
from webapp.models import Post

KEY = "0" * 32


@pytest.fixture
def post(ann):
    """A post of Ann's."""
    return make_post(ann.user, "A quick brown fax")


def test_the_time_of_a_post_leads_to_its_own_page_which_everybody_may_read(ann, bob, visitor, post):
    link = visitor.get("/").one(f"#post-{post.id} a:has(time)")["href"]
    assert link == f"/posts/{post.id}"
    for reader in (ann, bob, visitor):
        page = reader.get(link)
        assert "A quick brown fax" in page.one(f"#post-{post.id}").text
        assert bool(page.page.select("main a[href$='/edit']")) == (reader is ann)
        assert bool(page.page.select("main a[href$='/report']")) == (reader is bob)
    assert visitor.get(f"/posts/{post.id + 1}").status_code == 404


def test_its_author_edits_a_post_and_everybody_sees_that(each_database, ann, visitor, post):
    page = ann.get(ann.get("/").one(f"#post-{post.id} a[href$='/edit']")["href"])
    assert page.one("textarea#body").text.strip() == "A quick brown fax"
    answer = ann.submit(
        f"/posts/{post.id}", body=" A quick brown fox ", version=page.one("form.composer input[name=version]")["value"]
    )
    assert (answer.status_code, answer.location) == (303, f"/posts/{post.id}")
    shown = visitor.get("/").one(f"#post-{post.id}").text
    assert "A quick brown fox" in shown
    assert "Edited" in shown
    assert f"post-{post.id}" in visitor.get("/?q=fox").text
    assert f"post-{post.id}" not in visitor.get("/?q=fax").text


def test_the_same_text_is_no_edit(ann, visitor, post):
    assert ann.submit(f"/posts/{post.id}", body="A quick brown fax").status_code == 303
    assert "Edited" not in visitor.get(f"/posts/{post.id}").one(f"#post-{post.id}").text


@pytest.mark.parametrize(("body", "words"), [("", "Write a post first."), ("x" * 501, "501 characters")])
def test_a_bad_text_is_told_at_the_field_and_kept(ann, post, body, words):
    answer = ann.submit(f"/posts/{post.id}", body=body)
    assert answer.status_code == 422
    assert words in answer.one("#body-error").text
    assert answer.one("textarea#body").text.strip() == body
    assert Post.get().body == "A quick brown fax"


def test_of_two_tabs_the_second_is_told_and_may_replace(ann, post):
    version = ann.get(f"/posts/{post.id}/edit").one(".composer input[name=version]")["value"]
    assert ann.submit(f"/posts/{post.id}", body="From one tab", version=version).status_code == 303
    answer = ann.submit(f"/posts/{post.id}", body="From another", version=version)
    assert answer.status_code == 422
    assert "another tab" in answer.one("#body-error").text
    assert answer.one("textarea#body").text.strip() == "From another"
    assert answer.one(".as-written").text == "From one tab"
    version = answer.one("form.composer input[name=version]")["value"]
    assert ann.submit(f"/posts/{post.id}", body="From another", version=version).status_code == 303
    assert Post.get().body == "From another"


def test_what_is_read_before_another_writes_it_is_not_written_over(app, ann, post):
    stale = Post.with_author(post.id)
    assert Post.with_author(post.id).edit("First")
    assert not stale.edit("Second")
    assert Post.get().body == "First"
    Post.delete().execute()
    assert not stale.edit("Third")


def test_a_form_that_comes_twice_saves_once_and_deletes_once(ann, post):
    for _ in range(2):
        answer = ann.submit(f"/posts/{post.id}", body="Better", version=post.version, form_key=KEY)
        assert (answer.status_code, answer.location) == (303, f"/posts/{post.id}")
    for _ in range(2):
        assert ann.submit(f"/posts/{post.id}/deletion", form_key=KEY).location == "/"
    assert "already deleted" in ann.get("/").one("#flashes").text
    assert not Post.select().exists()


def test_a_deleted_post_is_gone_from_everywhere(each_database, ann, visitor, post):
    newer = make_post(make_user("cem"), "Quick, quick")
    asked = visitor.get("/_news", headers=HTMX).one("#new-posts").text.split()
    page = ann.get(f"/posts/{post.id}/edit")
    assert page.one("details button").text == "Delete this post for good"
    version = page.one("details input[name=version]")["value"]
    assert ann.submit(f"/posts/{post.id}/deletion", version=version).status_code == 303
    assert (asked[0], visitor.get("/_news", headers=HTMX).one("#new-posts").text.split()[0]) == ("2", "1")
    found = visitor.get("/?q=quick")
    assert [item["id"] for item in found.page.select("article")] == [f"post-{newer.id}"]
    for path in (f"/posts/{post.id}", f"/posts/{post.id}/edit"):
        assert ann.get(path).status_code == 404
    assert ann.submit(f"/posts/{post.id}", body="Again").status_code == 404


def test_a_post_that_is_not_the_one_that_was_seen_is_not_deleted(ann, post):
    """SQLite gives the id of a deleted row to another."""
    answer = ann.submit(f"/posts/{post.id}/deletion", version="2020-01-01T00:00:00")
    assert answer.status_code == 422
    assert answer.one("textarea#body").text.strip() == "A quick brown fax"
    assert Post.select().exists()


def test_nobody_changes_what_somebody_else_wrote(app, bob, visitor, post):
    for path in (f"/posts/{post.id}", f"/posts/{post.id}/deletion"):
        assert bob.submit(path, body="Mine now").status_code == 404
        assert visitor.submit(path, body="Mine now").status_code in {401, 303}
    assert bob.get(f"/posts/{post.id}/edit").status_code == 404
    assert "/login" in visitor.get(f"/posts/{post.id}/edit").location
    assert Post.get().body == "A quick brown fax"
    assert browse(app).get(f"/posts/{post.id}").status_code == 200
