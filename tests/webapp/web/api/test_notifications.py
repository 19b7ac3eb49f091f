"""The feed, as a program follows it: the states of tasks, the number of unread messages, who wrote."""

import random
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.racing import race
from tests.webapp.web.api.client import Program
from webapp.dev.factories import make_message, make_task, make_user
from webapp.lib.times import exact_iso, utcnow
from webapp.models import Message, Notification, State, User, notification
from webapp.models.notification_kinds import TASK_PROGRESS, UNREAD_MESSAGE_COUNT
from webapp.models.scopes import Scope


class Follower:
    """A program that follows a feed as the documentation says: the last `next`, and the last ETag."""

    def __init__(self, program: Program) -> None:
        self._program, self._path, self._headers = program, "/notifications", {}
        self.latest = {}

    def poll(self) -> list[dict] | None:
        """What is new; None if nothing is."""
        new = []
        while True:
            answer = self._program.get(self._path, headers=self._headers)
            if answer.status_code == 304:
                return new or None
            assert answer.status_code == 200
            new += answer.json["items"]
            self.latest |= {item["id"]: item for item in answer.json["items"]}
            self._path = f"/notifications?since={quote(answer.json['next'])}"
            self._headers = {"If-None-Match": answer.headers["ETag"]}
            if not answer.json["more"]:
                return new


def test_it_tells_of_tasks_and_messages_what_sources_of_ours_poll_for(anns):
    task = make_task(State.IN_PROGRESS, anns.user, done=3, total=10)
    Notification.put_progress(task)
    make_message(make_user("bob"), anns.user)
    items = {item["name"]: item for item in anns.get("/notifications").json["items"]}
    progress = {"task": str(task.id), "state": "in_progress", "done": False, "progress": {"done": 3, "total": 10}}
    assert items["task_progress"]["data"] == progress
    assert items["unread_message_count"]["data"] == {"count": 1}
    assert items["conversation"]["data"] == {"username": "bob"}
    assert all(item["timestamp"].endswith("Z") for item in items.values())


def test_a_program_learns_what_has_changed_and_then_nothing_for_as_long_as_nothing_does(anns):
    task = make_task(State.IN_PROGRESS, anns.user)
    follower = Follower(anns)
    assert len(follower.poll()) == 1
    assert follower.poll() is None
    task.cancel()
    [item] = follower.poll()
    assert item["data"]["state"] == "canceling"
    assert follower.poll() is None
    make_task(State.IN_PROGRESS)
    assert follower.poll() is None, "somebody else's are nothing to it"


def test_the_badge_goes_out_once_messages_are_read(anns):
    bob = make_user("bob")
    make_message(bob, anns.user)
    follower = Follower(anns)
    follower.poll()
    Message.read(anns.user, bob)
    assert {"count": 0} in [item["data"] for item in follower.poll()]


def test_pages_are_not_mistaken_for_what_is_known(anns):
    at = utcnow() - timedelta(days=1)
    Notification.insert_many(
        {"user": anns.user, "name": TASK_PROGRESS, "scope": str(UUID(int=n)), "updated_at": at} for n in range(450)
    ).execute()
    follower = Follower(anns)
    assert len(follower.poll()) == 450
    first = anns.get("/notifications")
    assert first.json["more"]
    same = anns.get("/notifications", headers={"If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304, "an ETag is good for its own request as well"


def test_an_etag_is_good_for_no_other_place(anns):
    make_task(State.IN_PROGRESS, anns.user)
    etag = anns.get("/notifications").headers["ETag"]
    since = exact_iso(utcnow() - timedelta(hours=1))
    assert anns.get(f"/notifications?since={since}", headers={"If-None-Match": etag}).status_code == 200


def test_a_time_is_one_to_begin_at_and_the_last_timestamp_is_one(anns):
    tasks = [make_task(State.IN_PROGRESS, anns.user) for _ in range(3)]
    last = anns.get("/notifications").json["items"][-1]["timestamp"]
    [item] = anns.get(f"/notifications?since={last}").json["items"]
    assert item["data"]["task"] == str(tasks[-1].id)
    assert anns.get("/notifications?since=2999-01-01T00:00:00Z").json["items"] == []


@pytest.mark.parametrize(
    "since",
    [
        "",
        "x",
        "2026",
        "2026-11-30",
        "2026-11-30T09:00:00",
        "1682479141.596",
        "9999-12-31T23:59:59-12:00",
        "W10.AAAA",
        "WyIyMDI2LTExLTMwVDA5OjAwOjAwIiwwLCIiLCIiXQ.6dH5lRjE0b2JvZ3VzYm9ndXNib2d1c2JvZ3U",
        "é",
        "x" * 501,
        "\ud800",
    ],
)
def test_a_hostile_place_is_named(anns, since):
    answer = anns.get("/notifications", query_string={"since": since.encode("utf-8", "replace")})
    if not since:
        assert answer.status_code == 200, "that is none"
    else:
        assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "since")


def test_the_place_of_somebody_else_is_none(anns, program_of):
    place = anns.get("/notifications").json["next"]
    assert program_of(make_user()).get(f"/notifications?since={place}").status_code == 422
    assert anns.get(f"/notifications?since={place}&since={place}").status_code == 422
    assert anns.get(f"/notifications?since={place}").status_code == 200


def test_a_token_gets_what_its_scopes_are_for(anns, program_of):
    make_task(State.IN_PROGRESS, anns.user)
    make_message(None, anns.user)
    names = {}
    for scopes in ((Scope.TASKS_READ,), (Scope.MESSAGES,), (Scope.TASKS_READ, Scope.MESSAGES), (Scope.POSTS,)):
        answer = program_of(anns.user, *scopes).get("/notifications")
        names[scopes] = answer.status_code, {item["name"] for item in answer.json.get("items", [])}
    assert list(names.values()) == [
        (200, {"task_progress"}),
        (200, {"unread_message_count", "conversation"}),
        (200, {"task_progress", "unread_message_count", "conversation"}),
        (403, set()),
    ]
    answer = program_of(anns.user, Scope.POSTS).get("/notifications")
    assert answer.json["scope"] == "tasks:read messages"


def test_with_news_it_takes_two_queries(anns, queries):
    for _ in range(30):
        make_task(State.IN_PROGRESS, anns.user)
    anns.get("/user")  # which records that the token is used
    with queries() as seen:
        anns.get("/notifications")
    assert seen.count == 2, "the token and the feed"


def test_whoever_follows_it_sees_the_last_state_of_everything_that_many_write_at_once(
    make_app, emptied_postgres, monkeypatch
):
    app = make_app(database_url=emptied_postgres)
    user, dice = make_user("ann"), random.Random(7)
    tasks = [make_task(State.IN_PROGRESS, user) for _ in range(12)]
    program = Program(app, user)
    follower, plans = Follower(program), [[dice.choice(tasks) for _ in range(40)] for _ in range(3)]
    monkeypatch.setattr(notification, "utcnow", lambda: utcnow().replace(microsecond=0))  # so many have equal times
    turns, ended = iter(range(4)), []

    def act() -> None:
        number = next(turns)
        if number == 3:
            while len(ended) < 3:
                follower.poll()
            return
        try:
            for step, task in enumerate(plans[number]):
                Notification.put(user.id, TASK_PROGRESS, {"state": "in_progress", "done": step, "total": 40}, task.id)
                Notification.put(user.id, UNREAD_MESSAGE_COUNT, {"count": step})
        finally:
            ended.append(number)

    assert race(4, act) == [None] * 4
    follower.poll()
    assert follower.poll() is None
    kept = {record.id: record.payload for record in Notification.select().where(Notification.user == user)}
    assert len(kept) == 13
    assert {key: item["data"].get("count", item["data"].get("progress")) for key, item in follower.latest.items()} == {
        key: said.get("count", {"done": said.get("done"), "total": said.get("total")}) for key, said in kept.items()
    }
    assert User.get_by_id(user.id).changes >= 240


def test_a_version_that_is_none_is_not_known(anns):
    for odd in ('W/"', ",", '"', "W/", 'x"y', "\x7f, a b"):
        assert anns.get("/notifications", headers={"If-None-Match": odd}).status_code == 200
