"""A program that was not answered sends its request again with the same key: it is carried out once."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.webapp.web.api.client import Program, pointers
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import IdempotencyKey, Mailing, State, Task
from webapp.models.idempotency_key import KEEP
from webapp.web.api.idempotency import HEADER, REPLAYED

COUNTDOWN = {"kind": "countdown", "arguments": {"seconds": 5}}
KEY = {HEADER: "7c6e1f9a-52ab-4d0c-9a3b-1f3a0c5d2e84"}


def test_the_same_request_is_carried_out_once_and_answered_alike(anns, each_database, run_tasks):
    first = anns.post("/tasks", COUNTDOWN, headers=KEY)
    Task.get().cancel()
    second = anns.post("/tasks", {"arguments": {"seconds": 5}, "kind": "countdown"}, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.get_data() == first.get_data()
    for header in ("Location", "ETag", "Retry-After"):
        assert second.headers[header] == first.headers[header]
    assert (first.headers.get(REPLAYED), second.headers[REPLAYED]) == (None, "true")
    assert Task.select().count() == 1


@pytest.fixture
def app(each_database):
    """On both databases."""
    return each_database


def test_another_request_with_the_same_key_is_refused(anns):
    anns.post("/tasks", COUNTDOWN, headers=KEY)
    for body in (COUNTDOWN | {"arguments": {"seconds": 6}}, {"kind": "countdown"}):
        answer = anns.post("/tasks", body, headers=KEY)
        assert (answer.status_code, answer.json["type"]) == (422, "/developers/problems/key-reused")
        assert set(pointers(answer)) == {HEADER}
    assert Task.select().count() == 1


def test_files_belong_to_the_request(anns):
    def send(content: bytes, name: str = "posts.csv"):
        return anns.post("/tasks", data={"kind": "import_posts", "file": (io.BytesIO(content), name)}, headers=KEY)

    first = send(b"body\nHello\n")
    again = send(b"body\nHello\n")
    assert (again.status_code, again.get_data()) == (201, first.get_data()), "each has a boundary of its own"
    assert send(b"body\nHallo\n").status_code == 422
    assert send(b"body\nHello\n", "other.csv").status_code == 422
    assert Task.select().count() == 1


def test_a_key_is_its_persons_and_other_keys_and_none_are_other_requests(app, anns):
    bobs = Program(app, make_user("bob"))
    for program, key in ((anns, KEY), (bobs, KEY), (anns, {HEADER: "another"}), (anns, {}), (anns, {})):
        answer = program.post("/tasks", COUNTDOWN, headers=key)
        assert (answer.status_code, REPLAYED in answer.headers) == (201, False)
    assert Task.select().count() == 5


def test_another_token_of_the_same_person_may_ask_again(app, anns):
    first = anns.post("/tasks", COUNTDOWN, headers=KEY)
    assert Program(app, anns.user).post("/tasks", COUNTDOWN, headers=KEY).get_data() == first.get_data()


def test_what_was_refused_is_not_kept(anns, allow):
    assert anns.post("/tasks", COUNTDOWN | {"arguments": {"seconds": 0}}, headers=KEY).status_code == 422
    allow(Quota.ACTIVE_TASKS, 1)
    make_task(State.PENDING, anns.user)
    assert anns.post("/tasks", COUNTDOWN, headers=KEY).status_code == 422
    assert not IdempotencyKey.select().exists()
    allow(Quota.ACTIVE_TASKS, 2)
    assert anns.post("/tasks", COUNTDOWN, headers=KEY).status_code == 201


def test_a_failure_half_way_leaves_neither_task_nor_key(app, anns, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("webapp.web.routes.api.tasks_new.see", fail)
        patch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        assert anns.post("/tasks", COUNTDOWN, headers=KEY).status_code == 500
    assert (Task.select().count(), IdempotencyKey.select().count()) == (0, 0)
    assert anns.post("/tasks", COUNTDOWN, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "ü", "a\x7f"])
def test_what_is_no_key_is_refused(anns, key):
    answer = anns.post("/tasks", COUNTDOWN, headers={HEADER: key.encode().decode("latin-1")})
    assert (answer.status_code, set(pointers(answer))) == (400, {HEADER})
    assert anns.post("/tasks", COUNTDOWN, headers={HEADER: "~" * 255}).status_code == 201


def test_a_key_is_kept_for_a_day_sealed_and_then_forgotten(anns):
    anns.post("/tasks", COUNTDOWN, headers=KEY)
    row = IdempotencyKey.get()
    assert "countdown" not in row.answer
    assert KEY[HEADER] not in repr(row.__data__)
    IdempotencyKey.update(at=utcnow() - KEEP + timedelta(minutes=1)).execute()
    assert IdempotencyKey.purge(10) == 0
    IdempotencyKey.update(at=utcnow() - KEEP - timedelta(minutes=1)).execute()
    assert IdempotencyKey.purge(10) == 1


def test_an_answer_that_cannot_be_read_any_more_is_no_reason_to_send_the_request_again(anns):
    anns.post("/tasks", COUNTDOWN, headers=KEY)
    IdempotencyKey.update(answer="of a later release").execute()
    answer = anns.post("/tasks", COUNTDOWN, headers=KEY)
    assert (answer.status_code, answer.json["type"]) == (409, "/developers/problems/conflict")
    assert "Retry-After" not in answer.headers
    assert Task.select().count() == 1


def test_a_repeat_costs_two_queries_beside_the_token(anns, queries):
    anns.post("/tasks", COUNTDOWN, headers=KEY)
    with queries() as seen:
        anns.post("/tasks", COUNTDOWN, headers=KEY)
    assert seen.count <= 2


def test_of_many_at_once_one_is_carried_out_and_none_hangs(app, anns):
    barrier = threading.Barrier(6)

    def send(_: int):
        program = Program(app)
        program.headers = anns.headers
        barrier.wait()
        return program.post("/tasks", COUNTDOWN, headers=KEY)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert Task.select().count() == 1
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.get_data() for answer in done}) == 1
    refused = [answer for answer in answers if answer not in done]
    for answer in refused:
        assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
        assert answer.json["type"] == "/developers/problems/in-progress"


def test_a_retry_that_comes_twice_is_one(anns):
    task = make_task(State.FAILED, anns.user)
    first = anns.post(f"/tasks/{task.id}/retry", headers=KEY)
    task.reload().cancel()
    second = anns.post(f"/tasks/{task.id}/retry", headers=KEY)
    assert (first.status_code, second.get_data()) == (200, first.get_data())
    assert task.reload().state == State.CANCELED


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/posts", {"body": "Hello"}),
        ("/messages/bob", {"body": "Hello"}),
        ("/mailings", {"subject": "Hello"}),
    ],
)
def test_what_is_written_is_written_once(anns, path, body):
    make_user("bob")
    first, second = (anns.post(path, body, headers=KEY) for _ in range(2))
    assert (first.status_code, first.get_data()) == (201, second.get_data())
    assert (second.headers[REPLAYED], second.headers.get("Location")) == ("true", first.headers.get("Location"))
    assert anns.post(path, body).get_data() != first.get_data()


def test_an_answer_that_is_too_long_is_not_kept_but_where_the_result_is(anns):
    mailing = {"subject": "Hello", "body": "ü" * 19_000}
    first, second = (anns.post("/mailings", mailing, headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json["type"] == "/developers/problems/conflict"
    assert second.headers["Location"] == first.headers["Location"]
    assert Mailing.select().count() == 1
    assert len(IdempotencyKey.get().answer) < 500, "else any number of these would be kept, which no quota counts"
    assert anns.delete(first.headers["Location"]).status_code == 204
    assert anns.post("/mailings", mailing, headers=KEY).status_code == 409
    assert not Mailing.select().exists()


def test_an_answer_of_usual_length_is_kept(anns):
    mailing = {"subject": "Hello", "body": "x" * 19_000}
    first, second = (anns.post("/mailings", mailing, headers=KEY) for _ in range(2))
    assert (second.status_code, second.get_data()) == (201, first.get_data())
