"""Waiting for a task: a real gunicorn answers once there is something to say, and holds up nobody by that."""

import json
import select
import signal
import time
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection

import pytest

from tests.guarantees.sites import Workshop
from tests.processes import until
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope
from webapp.web.server import MUST_ANSWER

SOON = 2.0  # seconds, on a busy machine; it takes one at most


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Workshop(tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1")
    site.start_web()
    with site.entered():
        yield site
    site.close()


class Client:
    """Somebody who asks for a task of theirs, from as many threads as they like."""

    def __init__(self, site):
        self.port, self.user = site.port, make_user()
        _, text = ApiToken.issue(self.user, "A program", {Scope.TASKS_READ}, utcnow() + timedelta(days=1))
        self.headers = {"Authorization": f"Bearer {text}"}

    def connect(self):
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def send(self, connection, task, seconds, **headers):
        wait = {"Prefer": f"wait={seconds}"} if seconds else {}
        connection.request("GET", f"/api/v1/tasks/{task.id}", headers=self.headers | wait | headers)

    def ask(self, task, seconds, **headers):
        """The status, the headers and the document."""
        with closing(self.connect()) as connection:
            self.send(connection, task, seconds, **headers)
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, answer.headers, json.loads(body) if body else None

    def is_turned_away(self, task):
        """Whether somebody else waits, so that this is answered at once."""
        status, headers, _ = self.ask(task, 1)
        assert status == 200
        return "Preference-Applied" not in headers


class Waiter:
    """A request that waits; nobody else does, so it has got the place."""

    def __init__(self, client, task, seconds=20, **headers):
        self.connection = client.connect()
        client.send(self.connection, task, seconds, **headers)
        assert not self.is_answered(0.5)
        assert client.is_turned_away(task)

    def is_answered(self, within):
        return bool(select.select([self.connection.sock], [], [], within)[0])

    def after(self, happened_at):
        """The status, headers and document, and how many seconds they came after that."""
        with closing(self.connection):
            answer = self.connection.getresponse()
            seconds = time.monotonic() - happened_at
            return answer.status, answer.headers, json.loads(answer.read()), seconds


@pytest.fixture
def client(site):
    return Client(site)


def test_a_wait_ends_as_the_task_does(client):
    task = make_task(State.PENDING, client.user)
    waiter = Waiter(client, task, 3600)
    Task.update(updated_at=utcnow(), stage="Still at it").where(Task.id == task.id).execute()
    task.cancel()
    status, headers, document, seconds = waiter.after(time.monotonic())
    assert (status, document["state"], document["done"]) == (200, "canceled", True)
    assert headers["Preference-Applied"] == "wait=20"
    assert set(headers["Vary"].split(", ")) >= {"Prefer", "Authorization"}
    assert "Retry-After" not in headers
    assert seconds < SOON


def test_with_a_known_version_any_change_ends_a_wait(client):
    task = make_task(State.IN_PROGRESS, client.user)
    etag = client.ask(task, 0)[1]["ETag"]
    waiter = Waiter(client, task, **{"If-None-Match": etag})
    Task.update(updated_at=utcnow(), done=13).where(Task.id == task.id).execute()
    status, headers, document, seconds = waiter.after(time.monotonic())
    assert (status, document["progress"]["done"]) == (200, 13)
    assert headers["ETag"] != etag
    assert seconds < SOON
    asked_at = time.monotonic()
    assert client.ask(task, 20, **{"If-None-Match": etag})[0] == 200
    assert time.monotonic() - asked_at < SOON, "it had changed already"


def test_without_news_a_wait_ends_by_itself(client):
    task = make_task(State.IN_PROGRESS, client.user)
    etag = client.ask(task, 0)[1]["ETag"]
    asked_at = time.monotonic()
    status, headers, _ = client.ask(task, 1, **{"If-None-Match": etag})
    assert (status, headers["Preference-Applied"], headers["Retry-After"]) == (304, "wait=1", "2")
    assert time.monotonic() - asked_at >= 1


def test_a_second_one_is_answered_at_once(client, site):
    task, other = (make_task(State.PENDING, client.user) for _ in range(2))
    waiter = Waiter(client, task)
    asked_at = time.monotonic()
    status, headers, document = Client(site).ask(other, 20)
    assert status == 404
    status, headers, document = client.ask(other, 20)
    assert time.monotonic() - asked_at < SOON
    assert (status, headers["Retry-After"], document["done"]) == (200, "2", False)
    task.cancel()
    assert waiter.after(time.monotonic())[0] == 200


def test_who_hangs_up_makes_room(client):
    task = make_task(State.PENDING, client.user)
    Waiter(client, task).connection.close()
    until(lambda: not client.is_turned_away(task), SOON)


def test_a_task_that_is_deleted_meanwhile_is_not_there(client):
    task = make_task(State.IN_PROGRESS, client.user)
    waiter = Waiter(client, task)
    Task.delete().where(Task.id == task.id).execute()
    status, *_, seconds = waiter.after(time.monotonic())
    assert status == 404
    assert seconds < SOON


def test_a_process_that_is_told_to_stop_answers_whoever_waits(tmp_path):
    site = Workshop(tmp_path, WEB_CONCURRENCY="1")
    web = site.start_web()
    try:
        with site.entered():
            client = Client(site)
            task = make_task(State.PENDING, client.user)
            waiter = Waiter(client, task)
            told_at = time.monotonic()
            web.popen.send_signal(signal.SIGTERM)
            status, headers, document, seconds = waiter.after(told_at)
            assert web.stop() == 0
            stopped_after = time.monotonic() - told_at
    finally:
        site.close()
    assert (status, headers["Preference-Applied"], document["done"]) == (200, "wait=20", False)
    assert seconds < SOON
    assert stopped_after < 10, "a connection is kept for two seconds of idleness"


# In this process, where a server can say what it likes


def _ask(program, task, prefer, must_answer):
    began = time.monotonic()
    answer = program.get(f"/tasks/{task.id}", headers={"Prefer": prefer}, environ_overrides={MUST_ANSWER: must_answer})
    assert answer.status_code == 200
    assert time.monotonic() - began < SOON
    return answer.headers.get("Preference-Applied")


def test_who_needs_the_thread_gets_it(anns):
    task = make_task(State.PENDING, anns.user)
    assert _ask(anns, task, "wait=20", lambda: True) == "wait=20"


@pytest.mark.parametrize(
    "prefer",
    ["", "wait", "wait=", "wait=-1", "wait=1.5", "wait=x", "wait=0", "respond-async", "wait=\u0661", "w" * 5000],
)
def test_what_is_no_wait_is_answered_at_once(anns, prefer):
    task = make_task(State.PENDING, anns.user)
    assert _ask(anns, task, prefer.encode().decode("latin-1"), lambda: False) is None


@pytest.mark.parametrize("prefer", ['Wait="7"', "respond-async, wait = 7; x=y", "wait=7, wait=9", "foo,WAIT=7"])
def test_a_wait_is_read_however_it_is_spelled(anns, prefer):
    assert _ask(anns, make_task(State.PENDING, anns.user), prefer, lambda: True) == "wait=7"


def test_where_the_server_cannot_end_a_wait_there_is_none(anns):
    began = time.monotonic()
    answer = anns.get(f"/tasks/{make_task(State.PENDING, anns.user).id}", headers={"Prefer": "wait=20"})
    assert "Preference-Applied" not in answer.headers
    assert answer.headers["Retry-After"] == "2"
    assert time.monotonic() - began < SOON


def test_what_is_done_needs_no_wait(anns):
    assert _ask(anns, make_task(State.FAILED, anns.user), "wait=20", lambda: False) is None


def test_a_look_is_one_query_in_no_transaction(anns, queries):
    task = make_task(State.PENDING, anns.user)
    _ask(anns, task, "wait=1", lambda: False)
    with queries() as seen:
        _ask(anns, task, "wait=1", lambda: False)
    looks = [
        query.msg[0] for query in seen.get_queries() if '"moves"' in query.msg[0] and '"title"' not in query.msg[0]
    ]
    assert 1 <= len(looks) <= 3
    assert not [query for query in seen.get_queries() if query.msg[0].startswith("BEGIN")]
