"""Posts, which everybody may read; one's own can be changed."""

from typing import Final

from flask import url_for

from webapp.db import database
from webapp.lib.normalization import clean
from webapp.lib.tokenization import QUERY_LENGTH
from webapp.models import Post, User
from webapp.models.post import POST_LENGTH
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.etags import etag_of, tagged
from webapp.web.api.forms import filled_in, text_body
from webapp.web.api.operation import Answer, Once, Rate, operation
from webapp.web.api.pages import PAGING, page_of
from webapp.web.api.parameters import text, wrong_query
from webapp.web.api.problems import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, QUOTA_EXCEEDED, Fault, Problem
from webapp.web.api.resource import INTEGER, STRING, TIME, UUID, Field, Listed, Resource, nullable, time
from webapp.web.api.resources.person import PERSON, person
from webapp.web.forms.posts import PostForm
from webapp.web.searching import search_page

POST = Resource[Post](
    "Post",
    "A short text that somebody wrote for everyone to read.",
    (
        Field("id", INTEGER, lambda post: post.id),
        Field("author", PERSON, lambda post: person(post.user)),
        Field("body", STRING, lambda post: post.body),
        Field("task", nullable(UUID), lambda post: post.task_id and str(post.task_id), "The task that imported it."),
        Field("created_at", TIME, lambda post: time(post.created_at)),
        Field("edited_at", nullable(TIME), lambda post: time(post.edited_at)),
    ),
    headers=("ETag",),
)
BODY: Final = text_body(POST_LENGTH)
FILTER = (
    text("by", 100, "Only posts of whoever has this username."),
    text("q", QUERY_LENGTH, "Only posts with these words, or with words that begin like them."),
)


@operation("GET", "/posts", allows=Scope.POSTS, answers={200: Listed(POST)}, query=FILTER + PAGING)
def list_posts(call: Call) -> Answer:
    """Everyone’s posts, newest first.

    Those of people whom you block are left out, unless you ask for them by name.
    """
    author, words = _author(call), clean(call.query["q"]) or ""
    reader = None if author else call.user
    return page_of(
        call,
        lambda cursor, most: search_page(Post.timeline(author), words, cursor, author, reader, most)[0],
        POST,
    )


@operation(
    "POST",
    "/posts",
    allows=Scope.POSTS,
    answers={201: POST},
    body=BODY,
    problems=(QUOTA_EXCEEDED,),
    rate=Rate.WRITE,
    once=Once.ALL,
)
def create_post(call: Call) -> Answer:
    """Publish a post."""
    form = filled_in(PostForm, body=call.body["body"])
    with database.atomic():
        post = Post.write(call.user, form.body.data)
    return tagged(POST, post, status=201, headers={"Location": url_for("api.show_post", post_id=post.id)})


@operation("GET", "/posts/{post_id}", allows=Scope.POSTS, answers={200: POST, 304: None})
def show_post(_: Call, post_id: int) -> Answer:
    """One post, by anybody."""
    return tagged(POST, _find(post_id))


@operation(
    "PATCH",
    "/posts/{post_id}",
    allows=Scope.POSTS,
    answers={200: POST},
    body=BODY,
    problems=(CONFLICT, PRECONDITION_FAILED, QUOTA_EXCEEDED),
    rate=Rate.WRITE,
)
def change_post(call: Call, post_id: int) -> Answer:
    """Give a post of yours another text."""
    post, form = _find_own(call, post_id), filled_in(PostForm, body=call.body["body"])
    with database.atomic():
        if not post.edit(form.body.data):
            raise Problem(CONFLICT, "The post was changed or deleted at the same moment.")
    return tagged(POST, _find(post_id))


@operation(
    "DELETE",
    "/posts/{post_id}",
    allows=Scope.POSTS,
    answers={204: None},
    problems=(PRECONDITION_FAILED,),
    rate=Rate.WRITE,
)
def delete_post(call: Call, post_id: int) -> Answer:
    """Delete a post of yours, for good."""
    _find_own(call, post_id).delete_instance()
    return Answer(status=204)


def _author(call: Call) -> User | None:
    name = call.query["by"]
    if name is None:
        return None
    if author := User.by_any_name(name):
        return author
    words = "Nobody has this username."
    raise wrong_query(Fault(words, parameter="by"))


def _find(post_id: int) -> Post:
    if post := Post.with_author(post_id):
        return post
    raise Problem(NOT_FOUND, "There is no such post.")


def _find_own(call: Call, post_id: int) -> Post:
    """One that may be changed: this person's own, in the version that they want to change."""
    post = _find(post_id)
    if post.user_id != call.user.id:
        raise Problem(NOT_FOUND, "There is no such post of yours.")
    call.demand_match(etag_of(POST.of(post)))
    return post
