"""The system at the desk: what runs, how large it is, and no secret."""

import socket
import time
from contextlib import ExitStack
from dataclasses import fields, replace

import psycopg
import pytest

from tasks.queue import huey
from tests.browsing import browse, words
from tests.processes import ROOT
from webapp import db
from webapp.db.sizes import clock_ahead, largest_tables, sizes
from webapp.dev.desk_factories import make_staff
from webapp.models import Worker
from webapp.models.permissions import Role
from webapp.settings import Settings
from webapp.web.presenters.desk import patience
from webapp.web.presenters.desk import settings as shown
from webapp.web.presenters.desk.system import QUEUE_ANSWERS_WITHIN
from webapp.web.release import SECRETS

MARK = "x-marked-secret-x"
MOST_QUERIES = 16


@pytest.fixture
def read(app):
    """A function that asks for the page."""
    return lambda: browse(app, make_staff(Role.VIEWER)).get("/desk/system")


def test_it_says_what_runs_on_what(app, read):
    answer = read()
    for fact in (app.config["RELEASE"], "SQLite 3.", "SQLite file", "Migrations pending 0", "Free in DATA_DIR"):
        assert fact in answer.words
    assert "No worker takes tasks." in answer.words


def test_each_setting_is_shown_by_its_variable(read):
    rows = {words(row.th): words(row.td) for row in read().page.select(".settings tbody tr")}
    assert rows["TASK_LEASE_SECONDS"] == "15"
    assert rows["WORKER_MEMORY_MB"] == "256"
    assert rows["SECRET_KEY"] == "set"
    assert rows["REDIS_URL"] == "not set"
    assert rows["QUOTA_ACTIVE_TASKS"] == "0 (unlimited)"
    assert rows["ALERT_OLDEST_WAIT_SECONDS"] == "300"


def test_no_secret_is_on_the_page(app):
    texts = {
        field.name: MARK
        for field in fields(Settings)
        if field.name in SECRETS and isinstance(getattr(app.config["SETTINGS"], field.name), str | None)
    }
    marked = replace(
        app.config["SETTINGS"], **texts, secret_key_fallbacks=(MARK,), admins=(MARK,), mail_server="smtp.example"
    )
    assert all(MARK in str(getattr(marked, name)) for name in SECRETS)
    app.config["SETTINGS"] = marked
    answer = browse(app, make_staff(Role.ADMIN)).get("/desk/system")
    assert "smtp.example:25" in answer.words
    assert MARK not in answer.get_data(as_text=True)
    assert MARK not in str(shown.shown_settings(marked))


def test_each_setting_is_shown_or_is_a_secret_or_says_why_not():
    """A new one is not shown before somebody has decided that it may be."""
    names = {field.name for field in fields(Settings)}
    assert names == {*shown.VARIABLES, *SECRETS, *shown.NOT_FROM_VARIABLES, *shown.IN_TABLES}
    assert not {*shown.VARIABLES} & SECRETS


def test_each_variable_is_one_that_operating_explains():
    text = (ROOT / "docs" / "operating.md").read_text()
    variables = [*shown.VARIABLES.values(), *shown.ALERTS.values(), *(name.upper() for name in SECRETS)]
    assert [variable for variable in variables if f"`{variable}`" not in text] == []


def test_a_queue_that_does_not_answer_is_told_in_words(make_app):
    app = make_app(redis_url="redis://127.0.0.1:1/0")
    answer = browse(app, make_staff()).get("/desk/system")
    assert "The queue doesn’t answer. Tasks go on without it." in answer.words
    assert answer.status_code == 200


def test_while_redis_hangs_the_desk_and_metrics_answer_and_the_system_says_what_does_not(make_app):
    """A port that takes connections and says nothing, as Redis does when its process is stopped."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as mute:
        redis = f"redis://127.0.0.1:{mute.getsockname()[1]}"
        browser = browse(make_app(redis_url=redis, metrics_token="t" * 20), make_staff())
        took = {}
        for path in ("/desk", "/desk/workers", "/metrics", "/desk/system"):
            begun = time.monotonic()
            answer = browser.get(path, headers={"Authorization": f"Bearer {'t' * 20}"})
            took[path] = time.monotonic() - begun
            assert answer.status_code == 200
    assert "The queue doesn’t answer. Tasks go on without it." in answer.words
    assert took["/desk/system"] < QUEUE_ANSWERS_WITHIN + 2
    assert {path for path, seconds in took.items() if seconds > QUEUE_ANSWERS_WITHIN} <= {"/desk/system"}


def test_it_takes_few_queries(read, queries):
    with queries() as asked:
        read()
    assert asked.count <= MOST_QUERIES


def test_sizes_on_sqlite_are_those_of_its_files(app):
    Worker.create(token="w", host="h", pid=1, processes=1, lives_until="2026-01-01")
    found = sizes()
    assert found.kind == "SQLite"
    assert found.size > 100_000
    assert found.log > 0
    assert (largest_tables(), clock_ahead()) == ([], None)


def test_sizes_on_postgresql_are_those_of_its_largest_tables(make_app, postgres_url):
    app = make_app(database_url=postgres_url)
    assert db.is_postgres()
    found = sizes()
    assert found.kind == "PostgreSQL"
    assert found.size > 1_000_000
    assert "tasks" in {table.name for table in largest_tables()}
    assert abs(clock_ahead()) < 5
    answer = browse(app, make_staff()).get("/desk/system")
    assert "Largest tables" in answer.words
    assert "Database’s clock" in answer.words


@pytest.fixture
def locked(postgres_url):
    """A function that locks tables of the database at that URL, as a change of the schema does, until the test ends."""
    with ExitStack() as locks:

        def lock(*tables: str) -> None:
            connection = locks.enter_context(psycopg.connect(postgres_url))
            connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            locks.callback(connection.rollback)

        yield lock


UNREAD = {
    "tasks": None,  # only what is beside the page
    "workers": "Workers unknown",
    "mail_paces": "Pace unknown",
    "schema_migration": "Schema unknown",
}


@pytest.mark.parametrize("tables", [*((table,) for table in UNREAD), tuple(UNREAD)], ids=str)
def test_while_a_table_is_locked_the_rest_is_there_in_time(make_app, postgres_url, locked, tables):
    app = make_app(database_url=postgres_url, mail_server="smtp.example")
    browser = browse(app, make_staff())
    assert browser.get("/desk/system").page.select("#tray-title")
    locked(*tables)
    begun = time.monotonic()
    answer = browser.get("/desk/system")
    assert time.monotonic() - begun < patience.ALL + 2, "and not as long as each by itself"
    assert answer.status_code == 200
    for fact in (app.config["RELEASE"], "Server PostgreSQL", "Free in DATA_DIR", "Messages 0", "SECRET_KEY set"):
        assert fact in answer.words
    assert "The database didn’t answer all that was asked." in answer.words
    assert bool(answer.page.select("#tray-title")) == ("tasks" not in tables)
    if len(tables) == 1:
        unread = [words for words in UNREAD.values() if words and words in answer.words]
        assert unread == [UNREAD[tables[0]]] if UNREAD[tables[0]] else not unread
        sizes = {words(row.th): words(row.td) for row in answer.page.select("table:not(.settings) tbody tr")}
        assert [table for table, size in sizes.items() if size == "locked"] == [*tables]


def test_a_locked_queue_is_not_waited_for(make_app, postgres_url, locked):
    app = make_app(database_url=postgres_url)
    browser = browse(app, make_staff())
    browser.get("/desk/system")
    locked(huey.storage.table_task)
    begun = time.monotonic()
    assert "The queue doesn’t answer. Tasks go on without it." in browser.get("/desk/system").words
    assert time.monotonic() - begun < QUEUE_ANSWERS_WITHIN + 2
