"""Writing posts, and reading them."""

import pytest

from webapp.dev.factories import make_post
from webapp.models import Post


def _bodies() -> list[str]:
    return [post.body for post in Post.select().order_by(Post.id)]


def test_a_post_is_published_for_everyone(ann, visitor):
    answer = ann.submit("/posts", body="Hello, world")
    assert (answer.status_code, answer.location) == (303, "/")
    [post] = Post.select()
    assert (post.user, post.body) == (ann.user, "Hello, world")
    article = visitor.get("/").one(f"#post-{post.id}")
    assert "Hello, world" in article.text
    assert article.select_one('a[href="/people/ann"]')


@pytest.mark.parametrize("body", ["x", "x" * 500, "👋" * 500, "a\r\nb", "ä" * 500, "  trimmed  "])
def test_one_to_five_hundred_characters_are_a_post(ann, body):
    assert ann.submit("/posts", body=body).status_code == 303
    assert _bodies() == [body.replace("\r\n", "\n").strip()]


def test_a_line_break_counts_once(ann):
    assert ann.submit("/posts", body="\r\n".join(["xxxx"] * 100)).status_code == 303
    assert len(_bodies()[0]) == 499


@pytest.mark.parametrize("body", ["", "   ", "\r\n\r\n", "\t"])
def test_nothing_is_no_post(ann, body):
    answer = ann.submit("/posts", body=body)
    assert answer.status_code == 422
    assert answer.one("#body-error")
    assert _bodies() == []


def test_a_post_that_is_too_long_is_refused_and_kept_to_be_shortened(ann):
    body = "first line\r\n" + "x" * 500
    answer = ann.submit("/posts", body=body)
    assert answer.status_code == 422
    assert "511" in answer.one("#body-error").text
    assert answer.one("textarea#body").text.strip() == body.replace("\r\n", "\n")
    assert answer.one("textarea#body")["aria-invalid"] == "true"
    assert _bodies() == []


def test_a_missing_field_is_no_crash(ann):
    assert ann.submit("/posts").status_code == 422


@pytest.mark.parametrize(
    "body", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "&amp;", "\"'><b>"]
)
def test_a_text_by_people_is_never_markup(ann, visitor, body):
    ann.submit("/posts", body=body)
    [post] = Post.select()
    for path in ("/", "/people/ann"):
        article = visitor.get(path).one(f"#post-{post.id}")
        assert body in article.text
        assert not article.select("script, img[src=x], b")
    refused = ann.submit("/posts", body=body + "x" * 500)
    assert refused.one("textarea#body").text.startswith(body)


def test_nobody_writes_without_an_account(visitor):
    answer = visitor.submit("/posts", body="Hello")
    assert (answer.status_code, answer.one("main form")["action"]) == (401, "/posts")
    assert _bodies() == []


def test_the_count_is_the_one_that_publishing_goes_by(ann):
    for body, length, state in (
        ("", 0, "fits"),
        ("a\r\nb", 3, "fits"),
        ("x" * 500, 500, "fits"),
        (" x" * 251, 501, "over"),
    ):
        answer = ann.submit("/posts/count", body=body)
        count = answer.one("#post-count")
        assert (answer.status_code, count["data-state"]) == (200, state)
        assert str(length) in count.text


def test_counting_publishes_nothing(ann):
    ann.submit("/posts/count", body="draft")
    assert _bodies() == []


def test_posts_are_shown_newest_first(visitor):
    first, second = make_post(body="first"), make_post(body="second")
    shown = [article["id"] for article in visitor.get("/").page.select("article[id^=post-]")]
    assert shown == [f"post-{second.id}", f"post-{first.id}"]
