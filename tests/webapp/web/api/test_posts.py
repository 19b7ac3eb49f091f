"""Posts by the API: as on the pages, with the same rules, words and quotas."""

import pytest

from tests.webapp.web.api.client import Program, pointers
from webapp.dev.factories import make_post, make_posts, make_user
from webapp.lib.quota_variables import Quota
from webapp.models import Post, blocking, rename
from webapp.models.post import POST_LENGTH
from webapp.models.scopes import Scope


def bodies(answer) -> list[str]:
    return [post["body"] for post in answer.json["items"]]


def test_a_program_publishes_what_everybody_reads(anns, program_of, visitor):
    answer = anns.post("/posts", {"body": "  Hello,\r\nworld  "})
    assert answer.status_code == 201
    assert answer.json["body"] == "Hello,\nworld"
    assert answer.json["author"] == {"id": anns.user.id, "username": "ann"}
    found = program_of(make_user("bob")).get(answer.headers["Location"])
    assert found.json == answer.json
    assert "Hello,\nworld" in visitor.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("body", "place"),
    [({}, "/body"), ({"body": 1}, "/body"), ({"body": " \n "}, "/body"), ({"body": "x", "at": 1}, "/at")],
)
def test_what_is_wrong_with_a_post_is_said_at_its_place(anns, body, place):
    answer = anns.post("/posts", body)
    assert answer.status_code == 422
    assert list(pointers(answer)) == [place]
    assert Post.select().count() == 0


def test_a_long_post_is_refused_in_the_words_of_the_page(anns):
    answer = anns.post("/posts", {"body": "x" * (POST_LENGTH + 1)})
    assert pointers(answer) == {"/body": "Your post has 501 characters. The limit is 500."}
    assert anns.post("/posts", {"body": "x" * POST_LENGTH}).status_code == 201


def test_the_quota_of_the_pages_counts_for_programs(anns, allow):
    allow(Quota.POSTS, 2)
    first = anns.post("/posts", {"body": "One"}).headers["Location"]
    anns.patch(first, {"body": "Two"})
    answer = anns.post("/posts", {"body": "Three"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["quota"] == "posts"
    assert answer.json["detail"].startswith("You can post 2 times a minute.")
    assert Post.select().count() == 1


def test_the_timeline_is_that_of_the_home_page(anns):
    bob, eve = make_user("bob"), make_user("eve")
    for user in (bob, eve, anns.user):
        make_post(user, f"By {user.username}")
    blocking.block(anns.user, eve)
    assert bodies(anns.get("/posts")) == ["By ann", "By bob"]
    assert bodies(anns.get("/posts?by=eve")) == ["By eve"]
    assert bodies(anns.get("/posts?q=by+bo")) == ["By bob"]
    assert bodies(anns.get("/posts?by=bob&q=eve")) == []


def test_pages_of_posts_go_on_where_the_page_before_ended(anns):
    make_posts(anns.user, 7)
    first = anns.get("/posts?limit=3&by=ann")
    make_post(anns.user, "Later")
    second = anns.get(first.headers["Link"].partition(">")[0].removeprefix("<"))
    third = anns.get(f"/posts?limit=3&by=ann&cursor={second.json['next']}")
    assert [bodies(page) for page in (first, second, third)] == [
        ["Post 7", "Post 6", "Post 5"],
        ["Post 4", "Post 3", "Post 2"],
        ["Post 1"],
    ]
    assert third.json["next"] is None
    assert anns.get(f"/posts?limit=3&cursor={second.json['next']}").status_code == 422  # that of another list


def test_a_former_name_leads_to_its_owner(anns):
    bob = make_user("bob")
    post = make_post(bob)
    rename(bob, "rob")
    answer = anns.get("/posts?by=bob")
    assert answer.json["items"][0]["id"] == post.id
    assert answer.json["items"][0]["author"]["username"] == "rob"


def test_nobody_of_a_name_is_a_wrong_parameter(anns):
    assert pointers(anns.get("/posts?by=nobody")) == {"by": "Nobody has this username."}


def test_its_author_changes_and_deletes_a_post(anns):
    where = f"/posts/{make_post(anns.user, 'Old').id}"
    old = anns.get(where)
    new = anns.patch(where, {"body": "New"}, headers={"If-Match": old.headers["ETag"]})
    assert new.json["body"] == "New"
    assert new.json["edited_at"]
    assert new.headers["ETag"] == anns.get(where).headers["ETag"] != old.headers["ETag"]
    stale = {"If-Match": old.headers["ETag"]}
    assert anns.patch(where, {"body": "Newer"}, headers=stale).status_code == 412
    assert anns.delete(where, headers=stale).status_code == 412
    assert anns.get(where, headers={"If-None-Match": new.headers["ETag"]}).status_code == 304
    assert anns.delete(where).status_code == 204
    assert anns.get(where).status_code == 404


def test_somebody_elses_post_can_only_be_read(anns):
    where = f"/posts/{make_post(body='Mine').id}"
    assert anns.get(where).json["body"] == "Mine"
    assert anns.patch(where, {"body": "Yours"}).status_code == 404
    assert anns.delete(where).status_code == 404
    assert Post.get().body == "Mine"


def test_posts_need_their_scope(anns, program_of):
    program = program_of(anns.user, Scope.MESSAGES)
    where = f"/posts/{make_post(anns.user).id}"
    answers = [
        program.get("/posts"),
        program.post("/posts", {"body": "x"}),
        program.get(where),
        program.patch(where, {"body": "x"}),
        program.delete(where),
    ]
    assert {answer.status_code for answer in answers} == {403}


def test_what_posts_cost_in_queries(each_database, queries):
    anns = Program(each_database, make_user("ann"))
    make_posts(anns.user, 30)
    where = f"/posts/{make_post(anns.user).id}"
    anns.get(where)  # records when the token was used
    costs = {}
    for name, ask in {
        "list": lambda: anns.get("/posts?limit=20"),
        "by": lambda: anns.get("/posts?by=ann&limit=20"),
        "one": lambda: anns.get(where),
        "create": lambda: anns.post("/posts", {"body": "x"}),
        "change": lambda: anns.patch(where, {"body": "y"}),
        "delete": lambda: anns.delete(where),
    }.items():
        with queries() as seen:
            assert ask().status_code < 300
        costs[name] = seen.count
    assert costs == {"list": 2, "by": 3, "one": 2, "create": 2, "change": 4, "delete": 3}
