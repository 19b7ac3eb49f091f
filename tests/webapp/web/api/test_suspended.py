"""Programs of a suspended account."""

from webapp.dev.factories import make_user
from webapp.models import Suspension


def test_its_tokens_are_refused_in_words_and_work_again_afterwards(program_of):
    program = program_of(ann := make_user())
    feed = program.get("/notifications")
    Suspension.begin(ann, "Sends spam.")
    for path, headers in (("/user", {}), ("/notifications", {"If-None-Match": feed.headers["ETag"]})):
        refused = program.get(path, headers=headers)
        assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (403, "suspended")
        assert refused.json["detail"] == "This account is suspended: Sends spam."
    Suspension.lift(ann)
    assert program.get("/user").status_code == 200


def test_a_request_asks_the_database_once_for_who_asks(program_of, queries):
    program = program_of(make_user())
    program.get("/kinds")
    with queries(1):
        program.get("/kinds")
