"""Real processes that start before their database is what they need, or with one that will never be."""

import json
import sys

import pytest

from tasks.queue import huey
from tests.guarantees.sites import is_done
from tests.guarantees.worker import stamp
from tests.processes import BIN, Process, until
from tests.surfing import Surfer
from webapp import db
from webapp.models import User

WEB = [str(BIN / "gunicorn"), "webapp.wsgi:app"]
WORKER = [sys.executable, "-m", "tasks.worker"]


def _lines(process: Process) -> list[dict]:
    """All that it has said, which is JSON to the last line."""
    return [json.loads(line) for line in process.output().splitlines()]


@pytest.fixture(scope="module")
def site(new_site):
    return new_site("sqlite", LOG_FORMAT="json")


def test_web_and_workers_that_start_before_migrate_wait_for_it_and_say_so_once(site, tmp_path):
    site.env["GUNICORN_CMD_ARGS"] += " --access-logfile -"  # as Heroku has it
    site.env["DATABASE_URL"] = site.near["DATABASE_URL"] = f"sqlite:///{tmp_path}/new.db"
    worker, stopped = site.start_worker(), site.start("stopped", WORKER)
    web = site.start_web()
    until(lambda: all("no schema yet" in process.output() for process in (worker, stopped, web)))
    visitor = Surfer(site.url)
    assert b"no schema yet" in visitor.read("/readyz")
    assert visitor.status == 503
    assert visitor.read("/healthz") == b"ok\n"
    assert site.stop("stopped") == 0, "who is told to stop while it waits does"
    with site.entered():
        db.migrate(huey.create_tables)
        until(lambda: visitor.read("/readyz") == b"ready\n")
        task = stamp.launch(User.register_guest(), steps=1)
        until(lambda: is_done(task))
    visitor.read("/login?next=/")
    site.close()
    assert [len([line for line in _lines(p) if "no schema yet" in line["message"]]) for p in (worker, web)] == [1, 1]
    [page] = [line for line in _lines(web) if "/login" in line["message"]]
    assert (page["logger"], page["message"]) == ("webapp.access", "GET /login 200")
    assert {"gunicorn.error", "webapp.access"} <= {line["logger"] for line in _lines(web)}
    [run] = [line for line in _lines(worker) if "The run ends" in line["message"]]
    host, _, pid = run["worker"].rpartition(":")
    assert (run["task_id"], bool(host), int(pid)) == (str(task.id), True, worker.popen.pid)
    assert run["pid"] != worker.popen.pid, "it names the very process"


def test_what_no_waiting_mends_ends_web_and_worker_with_one_line(site, tmp_path):
    site.env["DATABASE_URL"] = f"sqlite:///{tmp_path}/nowhere/errand.db"
    ended = {name: site.start(name, command) for name, command in {"web": WEB, "worker": WORKER}.items()}
    for process in ended.values():
        assert process.popen.wait(30) == 1
        [line] = [line for line in process.output().splitlines() if not line.startswith("{")]
        assert line.startswith(f"errand: the database ({tmp_path}/nowhere/errand.db) cannot be used")
    site.processes.clear()
