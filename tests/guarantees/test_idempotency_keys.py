"""Requests to the API whose answers are lost, since the whole web is killed once they are committed."""

import json
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected

import psutil
import pytest

from tests.processes import BIN, PATIENCE, is_answering, until
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import IdempotencyKey, Task
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope

BODY = json.dumps({"kind": "countdown", "arguments": {"seconds": 5}})


@pytest.mark.parametrize("shared_site", ["sqlite", "postgres and redis"], indirect=True)
def test_a_task_whose_answer_was_lost_is_asked_for_again_and_started_once(site, tmp_path):
    site.rest()
    user = make_user()
    _, token = ApiToken.issue(user, "A program", {Scope.TASKS_WRITE}, utcnow() + timedelta(days=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": "once"}

    def ask() -> tuple[HTTPResponse, bytes]:
        with closing(HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/api/v1/tasks", BODY, headers | {"X-Request-ID": "the-press"})
            response = connection.getresponse()
            return response, response.read()

    dies = tmp_path / "dies"
    dies.touch()
    site.env["DIES"] = str(dies)
    web = site.start("web", [str(BIN / "gunicorn"), "tests.guarantees.dies_before_answer:app"])
    until(lambda: is_answering(site.port))
    family = web.family()
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        ask()
    web.popen.wait()
    psutil.wait_procs(family)
    site.processes.pop("web")
    assert not dies.exists()
    [started] = Task.select().where(Task.user == user)

    site.start_web()
    again, body = ask()
    assert (again.status, again.headers["Location"]) == (201, f"/api/v1/tasks/{started.id}")
    assert (again.headers["Idempotent-Replayed"], json.loads(body)["state"]) == ("true", "pending")
    worker = site.worker()
    until(lambda: started.fresh().is_finished)
    later, the_same = ask()
    assert (later.status, the_same) == (201, body), "whatever has become of the task"
    assert Task.select().where(Task.user == user).count() == IdempotencyKey.select().count() == 1
    assert any(
        f"task_id={started.id}" in line and "request_id=the-press" in line for line in worker.output().splitlines()
    )
