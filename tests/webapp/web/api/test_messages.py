"""Messages by the API: as on the pages, with the same rules, words and quotas."""

from datetime import timedelta

import pytest

from tests.webapp.web.api.client import Program, pointers
from webapp.dev.factories import make_message, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import Conversation, Deletion, Message, User, blocking, rename
from webapp.models.message_row import MESSAGE_LENGTH


@pytest.fixture
def bob() -> User:
    return make_user("bob")


def bodies(answer) -> list[str | None]:
    return [message["body"] for message in answer.json["items"]]


def test_a_program_sends_a_message_that_its_recipient_reads(anns, bob, program_of):
    answer = anns.post("/messages/bob", {"body": " Hello "})
    assert answer.status_code == 201
    assert (answer.json["body"], answer.json["read_at"]) == ("Hello", None)
    assert answer.json["sender"]["username"] == "ann"
    assert answer.json["recipient"]["username"] == "bob"
    bobs = program_of(bob)
    assert bobs.get("/messages/ann").json["items"] == [answer.json]
    assert bobs.get(f"/messages/ann/{answer.json['id']}").json == answer.json
    assert anns.get(answer.headers["Location"]).json == answer.json
    seen = {"If-None-Match": answer.headers["ETag"]}
    assert anns.get(answer.headers["Location"], headers=seen).status_code == 304


def test_only_reading_marks_what_was_written_as_read(anns, bob, program_of):
    make_message(bob, anns.user)
    anns.get("/messages/bob")
    [conversation] = anns.get("/messages").json["items"]
    assert (conversation["partner"]["username"], conversation["unread"]) == ("bob", 1)
    assert anns.post("/messages/bob/reading").status_code == 204
    assert anns.post("/messages/bob/reading").status_code == 204
    assert anns.get("/messages").json["items"][0]["unread"] == 0
    assert program_of(bob).get("/messages/ann").json["items"][0]["read_at"]


def test_conversations_are_paged_the_latest_first(anns):
    for number in range(5):
        make_message(make_user(f"person{number}"), anns.user, f"From {number}")
    first = anns.get("/messages?limit=3")
    second = anns.get(f"/messages?limit=3&cursor={first.json['next']}")
    names = [[each["partner"]["username"] for each in page.json["items"]] for page in (first, second)]
    assert names == [["person4", "person3", "person2"], ["person1", "person0"]]
    assert first.json["items"][0]["latest"]["body"] == "From 4"


def test_messages_are_paged_the_newest_first(anns, bob):
    for number in range(5):
        make_message(*([anns.user, bob] if number % 2 else [bob, anns.user]), body=str(number))
    first = anns.get("/messages/bob?limit=3")
    make_message(bob, anns.user, "Later")
    second = anns.get(first.headers["Link"].partition(">")[0].removeprefix("<"))
    assert [bodies(first), bodies(second)] == [["4", "3", "2"], ["1", "0"]]


def test_a_cursor_of_another_conversation_is_none(anns, bob):
    for number in range(3):
        make_message(bob, anns.user, str(number))
    make_message(make_user("eve"), anns.user)
    cursor = anns.get("/messages/bob?limit=2").json["next"]
    assert list(pointers(anns.get(f"/messages/eve?cursor={cursor}"))) == ["cursor"]


def test_nobody_and_oneself_are_not_there(anns):
    for name in ("nobody", "ann", "Ann", "deleted-x", "%00", "x" * 500):
        answers = [anns.get(f"/messages/{name}"), anns.post(f"/messages/{name}", {"body": "x"})]
        answers.append(anns.post(f"/messages/{name}/reading"))
        assert {answer.status_code for answer in answers} == {404}
    assert Message.select().count() == 0


def test_a_former_name_leads_to_its_owner(anns, bob):
    rename(bob, "rob")
    answer = anns.post("/messages/bob", {"body": "Hello"})
    assert answer.json["recipient"]["username"] == "rob"
    assert answer.headers["Location"] == f"/api/v1/messages/rob/{answer.json['id']}"
    assert bodies(anns.get("/messages/bob")) == ["Hello"]


def test_who_is_blocked_hears_the_words_of_the_page(anns, bob, program_of):
    make_message(anns.user, bob)
    blocking.block(bob, anns.user)
    mine, theirs = anns.post("/messages/bob", {"body": "x"}), program_of(bob).post("/messages/ann", {"body": "x"})
    assert (mine.status_code, mine.json["detail"]) == (403, "You can’t message bob.")
    assert (theirs.status_code, theirs.json["detail"]) == (403, "You blocked ann. Unblock them to write to them.")
    assert Message.select().count() == 1
    assert program_of(bob).get("/messages").json["items"][0]["blocked"] is True
    assert anns.get("/messages").json["items"][0]["blocked"] is False


def test_a_deleted_account_can_be_read_but_not_written_to(anns, bob):
    make_message(bob, anns.user, "Bye")
    Deletion.begin(bob)
    [conversation] = anns.get("/messages").json["items"]
    assert conversation["deleted"] is True
    where = f"/messages/{conversation['partner']['username']}"
    assert bodies(anns.get(where)) == ["Bye"]
    answer = anns.post(where, {"body": "Hello?"})
    assert (answer.status_code, answer.json["detail"]) == (
        403,
        "This account was deleted, so your message wasn’t sent.",
    )
    assert anns.get("/messages/bob").status_code == 404


@pytest.mark.parametrize("body", [{}, {"body": None}, {"body": ""}, {"body": "\t"}, {"body": "x" * 2001}])
def test_what_is_wrong_with_a_message_is_said_at_its_place(anns, bob, body):
    answer = anns.post("/messages/bob", body)
    assert (answer.status_code, list(pointers(answer))) == (422, ["/body"])
    assert Message.select().count() == 0


def test_the_longest_message_is_sent(anns, bob):
    assert anns.post("/messages/bob", {"body": "x" * MESSAGE_LENGTH}).status_code == 201


def test_the_quotas_of_the_pages_count_for_programs(anns, bob, allow):
    make_user("eve")
    allow(Quota.PEOPLE_MESSAGED, 1)
    anns.post("/messages/bob", {"body": "x"})
    people = anns.post("/messages/eve", {"body": "x"})
    assert (people.status_code, people.json["quota"]) == (429, "people_messaged")
    allow(Quota.MESSAGES, 2)
    anns.post("/messages/bob", {"body": "x"})
    anns.post("/messages/bob", {"body": "x"})
    many = anns.post("/messages/bob", {"body": "x"})
    assert (many.status_code, many.json["quota"]) == (429, "messages")
    assert int(many.headers["Retry-After"]) > 0
    assert Message.select().count() == 3


def test_its_sender_changes_a_message_for_some_minutes_and_deletes_it_at_any_time(anns, bob):
    message = make_message(anns.user, bob, "Old")
    where = f"/messages/bob/{message.id}"
    old = anns.get(where).headers["ETag"]
    new = anns.patch(where, {"body": "New"}, headers={"If-Match": old})
    assert new.json["body"] == "New"
    assert new.json["edited_at"]
    assert anns.delete(where, headers={"If-Match": old}).status_code == 412
    Message.update(created_at=utcnow() - timedelta(hours=1)).where(Message.id == message.id).execute()
    late = anns.patch(where, {"body": "Newer"})
    assert late.status_code == 409
    assert late.json["detail"].startswith("You can edit a message for 15 minutes")
    assert anns.delete(where).status_code == 204
    assert anns.delete(where).status_code == 204
    gone = anns.get(where).json
    assert (gone["body"], gone["read_at"]) == (None, None)
    assert gone["deleted_at"]
    assert anns.patch(where, {"body": "x"}).status_code == 409


def test_what_others_wrote_can_only_be_read(anns, bob, program_of):
    where = f"/messages/bob/{make_message(bob, anns.user, 'Mine').id}"
    assert anns.get(where).json["body"] == "Mine"
    assert anns.patch(where, {"body": "Yours"}).status_code == 404
    assert anns.delete(where).status_code == 404
    assert program_of(make_user("eve")).get(where).status_code == 404
    assert anns.get(where.replace("bob", "eve")).status_code == 404
    assert Message.get().body == "Mine"


def test_what_messages_cost_in_queries(each_database, queries):
    ann, bob = make_user("ann"), make_user("bob")
    anns = Program(each_database, ann)
    for _ in range(10):
        make_message(bob, ann)
        make_message(make_user(), ann)
    mine = make_message(ann, bob).id
    anns.get("/messages/bob")  # records when the token was used
    costs = {}
    for name, ask in {
        "conversations": lambda: anns.get("/messages?limit=5"),
        "messages": lambda: anns.get("/messages/bob?limit=5"),
        "one": lambda: anns.get(f"/messages/bob/{mine}"),
        "nothing to read": lambda: anns.post("/messages/bob/reading"),
    }.items():
        if name == "nothing to read":
            Message.read(ann, bob)
        with queries() as seen:
            assert ask().status_code < 300
        costs[name] = seen.count
    assert costs == {"conversations": 2, "messages": 3, "one": 3, "nothing to read": 3}
    assert Conversation.select().count() > 10
