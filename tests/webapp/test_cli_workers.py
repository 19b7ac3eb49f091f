"""Commands about workers, and the health of the site for probes."""

import re
import socket
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tasks.engine.leadership import ROLE
from tests.processes import BIN, free_port
from webapp.db import database
from webapp.dev.desk_factories import make_worker
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, Leader, State, Task, Worker
from webapp.models.audit import Outcome, Via


def _run(app, *command: str) -> tuple[int, list[str]]:
    """The exit code, and the lines."""
    result = app.test_cli_runner().invoke(args=command)
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def healthy(app):
    """A site on which all is well."""
    Leader.create(role=ROLE, token="one", until=utcnow() + timedelta(minutes=1))
    return make_worker("host", pid=7, processes=3)


def test_workers_are_listed_with_what_they_do(app):
    one, two = make_worker("host", pid=7), make_worker("host", pid=8, quiet_at=utcnow(), release=app.config["RELEASE"])
    make_task(State.IN_PROGRESS, worker=two.token, fencing_token="t")
    code, lines = _run(app, "workers", "list")
    assert code == 0
    assert lines[0].startswith(f"{one.token}  host:7  Takes tasks  0 of 2 running  heard ")
    assert lines[0].endswith("100.0 MB  release release (not this one)")
    assert lines[1].startswith(f"{two.token}  host:8  Quiet, with 1 task left  1 of 2 running  heard ")
    assert lines[1].endswith(f"release {app.config['RELEASE']}")


def test_without_workers_the_list_says_so_and_fails(app):
    assert _run(app, "workers", "list") == (1, ["Error: no worker is running, so tasks wait"])


@pytest.mark.parametrize("name", ["token", "host:7", "fe80::1:9"])
def test_a_worker_is_quieted_and_resumed_by_its_token_or_host_and_process(app, name):
    make_worker("host", token="token", pid=7)
    make_worker("fe80::1", token="other", pid=9)
    found = Worker.get(Worker.token == ("other" if name == "fe80::1:9" else "token"))
    assert _run(app, "workers", "quiet", name, "--reason", "It swaps.")[0] == 0
    assert [worker.token for worker in Worker.select().where(Worker.quiet_at.is_null(False))] == [found.token]
    assert _run(app, "workers", "quiet", name) == (1, [f"Error: {found.name} does that already"])
    assert _run(app, "workers", "resume", name)[0] == 0
    assert not Worker.select().where(Worker.quiet_at.is_null(False)).exists()
    entries = [(entry.action, entry.via, entry.outcome, entry.reason) for entry in AuditEntry.select()]
    assert entries == [
        ("quiet worker", Via.COMMAND, Outcome.DONE, "It swaps."),
        ("quiet worker", Via.COMMAND, Outcome.REFUSED, ""),
        ("resume worker", Via.COMMAND, Outcome.DONE, ""),
    ]
    assert all(entry.command_user for entry in AuditEntry.select())


@pytest.mark.parametrize("name", ["nobody", "host:8", "host:", ":", "host:99999999999999999999", "host:²", ""])
def test_a_worker_that_there_is_not_is_named(app, name):
    make_worker("host", pid=7)
    assert _run(app, "workers", "quiet", name) == (1, [f"Error: no worker is called {name}; see workers list"])


def test_of_two_with_the_same_host_and_process_the_token_tells(app):
    one, two = sorted(make_worker("host", pid=7).token for _ in range(2))
    code, [line] = _run(app, "workers", "quiet", "host:7")
    assert code == 1
    assert one in line
    assert two in line


# Health


def test_where_all_is_well_each_check_has_a_line(app, healthy, queries):
    with queries() as asked:
        code, lines = _run(app, "health", "--oldest-wait", "60")
    assert (code, lines) == (
        0,
        [
            "ok    database: answers",
            "ok    schema: is that of this release, or newer",
            "ok    workers: 1 of 1 take tasks, 3 at once",
            "ok    sweeper: one leads",
            "ok    wait: nothing waits",
            "ok    queue: answers",
        ],
    )
    assert asked.count <= 8


def _failing(app, *options: str) -> list[str]:
    """What is wrong, when anything is."""
    code, lines = _run(app, "health", *options)
    wrong = [line.removeprefix("FAIL  ") for line in lines if line.startswith("FAIL")]
    assert code == bool(wrong)
    return wrong


def test_no_worker_is_a_failure_and_quiet_ones_are_none(app, healthy):
    healthy.quiet()
    assert _failing(app) == []
    Worker.update(lives_until=utcnow() - timedelta(seconds=1)).execute()
    assert _failing(app) == ["workers: none is running, so tasks wait"]


def test_nobody_who_sweeps_is_a_failure(app, healthy):
    Leader.update(until=utcnow() - timedelta(seconds=1)).execute()
    assert _failing(app) == ["sweeper: nobody sweeps: what is due or lost stays so"]


def test_the_oldest_wait_is_a_failure_only_beyond_what_was_said(each_database, app, healthy):
    task = make_task(State.PENDING, queue_key=5)
    make_task(State.PENDING, queue_key=2, ready_at=utcnow() - timedelta(seconds=10))
    Task.update(ready_at=utcnow() - timedelta(seconds=90)).where(Task.id == task.id).execute()
    assert _failing(app) == _failing(app, "--oldest-wait", "120") == []
    [wrong] = _failing(app, "--oldest-wait", "60")
    assert wrong.startswith("wait: the longest is ")
    assert wrong.endswith(", more than 1 minute")


def _env(folder: Path) -> dict[str, str]:
    return {"DATA_DIR": str(folder), "SECRET_KEY": "k" * 64}


def _probe(folder: Path, *options: str, **variables: str) -> tuple[int, str]:
    """The exit code of the command in a process of its own, and what it says."""
    command = [BIN / "flask", "--app", "webapp.wsgi", "health", *options]
    result = subprocess.run(command, env=_env(folder) | variables, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout


def test_a_site_without_a_schema_is_told_what_to_do(tmp_path):
    code, said = _probe(tmp_path)
    assert code == 1
    assert "FAIL  schema: it has no schema yet: run flask --app webapp.wsgi migrate" in said


def test_a_database_that_refuses_fails_the_first_check_and_no_other_is_made(tmp_path):
    code, said = _probe(tmp_path, DATABASE_URL=f"postgresql://127.0.0.1:{free_port()}/x")
    assert code == 1
    assert said.startswith("FAIL  database: the database does not answer: ")
    assert len(said.splitlines()) == 1


def test_a_database_that_hangs_is_waited_for_no_longer_than_was_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://127.0.0.1:{server.getsockname()[1]}/x"
        code, said = _probe(tmp_path, "--within", "0.5", DATABASE_URL=url)
    assert (code, said) == (1, "FAIL  database: no answer within 0.5 s in all\n")


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path):
    (tmp_path / "errand.db").write_text("no database" * 1000)
    assert _probe(tmp_path) == (1, "FAIL  database: the database cannot be used: file is not a database\n")


def test_a_sqlite_file_that_somebody_keeps_locked_is_waited_for_and_named(settings):
    with closing(sqlite3.connect(settings.data_dir / "errand.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        locked = "FAIL  database: the database does not answer: database is locked\n"
        assert _probe(settings.data_dir) == (1, locked)


def test_a_schema_that_is_behind_is_told_and_nothing_else_is_asked(app):
    database.execute_sql("DELETE FROM schema_migration WHERE id = (SELECT MAX(id) FROM schema_migration)")
    [wrong] = _failing(app)
    assert re.fullmatch(
        r"schema: its schema is older than this release \(\d{4}_\w+ is missing\): run flask --app webapp.wsgi migrate",
        wrong,
    )


def impatient(url: str, timeout: str = "300ms") -> str:
    """The same database, where no statement may take as long as it else may."""
    return f"{url}?options=-c%20statement_timeout%3D{timeout}"


@pytest.mark.parametrize(
    ("table", "check"),
    [("workers", "workers"), ("leaders", "sweeper"), ("tasks", "wait"), ("schema_migration", "schema")],
)
def test_a_table_that_somebody_keeps_locked_fails_its_check_in_words(make_app, postgres_url, table, check):
    app = make_app(database_url=impatient(postgres_url))
    Leader.create(role=ROLE, token="one", until=utcnow() + timedelta(minutes=1))
    make_worker()
    with psycopg.connect(postgres_url) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        assert _failing(app) == [f"{check}: the database does not answer: canceling statement due to statement timeout"]


def test_where_all_tables_are_locked_its_total_ends_it(make_app, postgres_url):
    make_app(database_url=postgres_url)
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE workers, leaders, tasks IN ACCESS EXCLUSIVE MODE")
        code, said = _probe(Path(), "--within", "2", DATABASE_URL=impatient(postgres_url, "1500ms"))
    assert code == 1
    assert said.endswith(": no answer within 2 s in all\n")


def test_a_queue_that_does_not_answer_is_told_and_is_no_failure(healthy, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        code, said = _probe(tmp_path, REDIS_URL=f"redis://127.0.0.1:{mute.getsockname()[1]}")
    assert (code, said.splitlines()[-1]) == (0, "ok    queue: does not answer, so workers look for tasks once a second")
