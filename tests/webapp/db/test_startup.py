"""A database that is wrong, away, or without the schema: what commands, pages and probes say."""

import logging
import sqlite3
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import psycopg
import pytest
from peewee import OperationalError

from tests.browsing import browse
from webapp import db
from webapp.app import create_app
from webapp.db import readiness, resilience, startup
from webapp.dev.factories import make_user
from webapp.lib.outage import one_line

NEWEST = sorted(path.stem for path in db.MIGRATIONS.glob("[0-9]*.py"))[-1]


@pytest.fixture(autouse=True)
def _nothing_was_told():
    for outage in (resilience.away, readiness.lacking):
        outage._write(0.0, 0.0, 0.0)


def _forget_schema() -> None:
    """Make the database one that nobody has migrated."""
    if db.is_postgres():
        db.database.execute_sql("DROP SCHEMA public CASCADE")
        db.database.execute_sql("CREATE SCHEMA public")
        return
    db.database.execute_sql("PRAGMA foreign_keys = 0")
    for name in db.database.get_tables():
        with suppress(OperationalError):  # what belongs to another goes with it
            db.database.execute_sql(f'DROP TABLE "{name}"')


def _unapply(name: str) -> None:
    db.database.execute_sql(f"DELETE FROM schema_migration WHERE name = '{name}'")


@pytest.fixture(params=["sqlite", "postgres"])
def app(request, make_app):
    """The app on a database of its own, as its schema is not left as it was."""
    if request.param == "sqlite":
        return make_app()
    return make_app(database_url=request.getfixturevalue("postgres_url"))


def test_readyz_says_in_words_what_the_schema_lacks(app, caplog):
    visitor = browse(app)
    readiness._right = None
    _unapply(NEWEST)
    answers = [visitor.get("/readyz") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {503}
    assert f"older than this release ({NEWEST} is missing): run flask --app webapp.wsgi migrate" in answers[0].text
    assert visitor.get("/healthz").status_code == 200
    _forget_schema()
    assert "it has no schema yet: run flask --app webapp.wsgi migrate" in visitor.get("/readyz").text
    assert len(caplog.messages) == 1, "said once a minute"
    db.migrate()
    assert visitor.get("/readyz").text == "ready\n"


def test_a_schema_of_a_later_release_is_as_good(app):
    readiness._right = None
    db.database.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_of_tomorrow', '2030-01-01')")
    assert browse(app).get("/readyz").status_code == 200


def test_a_probe_asks_one_small_query(app, queries):
    visitor = browse(app)
    visitor.get("/readyz")
    with queries() as seen:
        assert visitor.get("/readyz").status_code == 200
    assert seen.count == 1
    assert "schema_migration" not in str(seen.get_queries())


def test_a_page_without_the_schema_is_503_in_words_and_the_log_says_so_once(app, caplog):
    ann = browse(app, make_user("ann"))
    assert ann.get("/readyz").status_code == 200
    token = ann.token()
    _forget_schema()
    answers = [ann.get(path) for path in ("/", "/tasks", "/messages", "/no-such-page", "/tasks/new/countdown")]
    answers.append(ann.post("/posts", data={"csrf_token": token, "body": "Kept"}))
    assert [answer.status_code for answer in answers if answer.status_code not in {404, 503}] == []
    assert [answer.status_code for answer in answers].count(503) >= 5
    assert "being set up or updated" in answers[0].words
    assert answers[0].headers["Retry-After"]
    assert answers[-1].one("input[name=body]")["value"] == "Kept"
    assert ann.get("/live", headers={"HX-Request": "true"}).status_code == 503
    assert len(caplog.messages) == 1
    assert "Traceback" not in caplog.text
    assert ann.get("/readyz").status_code == 503, "although it was right before"


def test_a_table_that_is_missing_from_the_right_schema_is_a_fault_of_ours(app):
    ann = browse(app, make_user("ann"))
    db.database.execute_sql("ALTER TABLE posts RENAME TO posted")
    assert ann.get("/").status_code == 500


# Where waiting is pointless

HOPELESS = [
    'connection to server at "10.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "ann"',
    'connection to server at "10.0.0.1", port 5432 failed: FATAL:  database "errant" does not exist',
    'connection to server at "10.0.0.1", port 5432 failed: FATAL:  role "ann" does not exist',
    'connection to server at "10.0.0.1", port 5432 failed: FATAL:  no pg_hba.conf entry for host "10.0.0.2"',
    'connection to server at "10.0.0.1", port 5432 failed: fe_sendauth: no password supplied',
    'connection to server on socket "/tmp/.s.PGSQL.5432" failed: FATAL:  Peer authentication failed for user "ann"',
]
PASSING = [
    'connection to server at "10.0.0.1", port 5432 failed: Connection refused',
    'connection to server at "10.0.0.1", port 5432 failed: FATAL:  the database system is starting up',
    'connection to server at "10.0.0.1", port 5432 failed: FATAL:  sorry, too many clients already',
    'connection to server at "10.0.0.1", port 5432 failed: root certificate file "/x" does not exist',
    "failed to resolve host 'db.example': [Errno -2] Name or service not known",
    "connection timeout expired",
]


def _as_peewee_says_it(error: Exception) -> OperationalError:
    """By way of `begin`, which connects, it is wrapped twice."""
    return OperationalError(OperationalError(error, str(error)), str(error))


@pytest.mark.parametrize("words", HOPELESS)
def test_what_the_operator_must_mend_is_not_waited_for(words):
    assert startup.is_hopeless(_as_peewee_says_it(psycopg.OperationalError(words)))


@pytest.mark.parametrize("words", PASSING)
def test_what_may_come_by_itself_is_waited_for(words):
    assert not startup.is_hopeless(_as_peewee_says_it(psycopg.OperationalError(words)))


OF_FILES = {"CANTOPEN": True, "NOTADB": True, "READONLY": True, "BUSY": False, "FULL": False, "IOERR": False}


@pytest.mark.parametrize(("name", "is_hopeless"), OF_FILES.items())
def test_so_it_is_with_a_file(name, is_hopeless):
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}")
    assert startup.is_hopeless(_as_peewee_says_it(error)) == is_hopeless


REFUSED = """connection failed: connection to server at "{}", port 1 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections?"""


def _of_several(*hosts: str) -> psycopg.OperationalError:
    each = (f"- host: 'db', port: '1', hostaddr: '{host}': {REFUSED.format(host)}" for host in hosts)
    several = "Multiple connection attempts failed. All failures were:"
    return psycopg.OperationalError("\n".join((REFUSED.format(hosts[-1]), several, *each)))


def test_what_libpq_says_of_several_addresses_is_one_line_in_the_same_words():
    line = one_line(_of_several("::1", "127.0.0.1", "127.0.0.1"))
    assert line == (
        'connection to server at "127.0.0.1", port 1 failed: Connection refused; '
        'connection to server at "::1", port 1 failed: Connection refused'
    )
    assert one_line(_of_several("127.0.0.1", "::1")) == line


@pytest.fixture
def wrong(request, settings, tmp_path):
    """A function that makes the app with a database that is wrong."""
    (tmp_path / "letter.txt").write_text("Dear Ann, this is no database of SQLite's. " * 100)

    def wrong(what: str):
        urls = {
            "no folder": lambda: f"sqlite:///{tmp_path}/nowhere/errand.db",
            "a folder": lambda: f"sqlite:///{tmp_path}",
            "no database": lambda: f"sqlite:///{tmp_path}/letter.txt",
            "no such database": lambda: f"{request.getfixturevalue('postgres_url')}_",
            "no such role": lambda: request.getfixturevalue("postgres_url").replace("postgres@", "nobody:secret@"),
            "nobody there": lambda: "postgres://u:secret@127.0.0.1:1/x",
        }
        app = create_app(replace(settings, database_url=urls[what]()))
        request.addfinalizer(lambda: db.configure(settings.database_url))
        return app

    return wrong


WRONG = ["no folder", "a folder", "no database", "no such database", "no such role", "nobody there"]


@pytest.mark.parametrize("what", WRONG)
def test_commands_say_in_one_line_that_the_database_is_wrong(wrong, what):
    app = wrong(what)
    for command in (["migrate"], ["tasks", "purge"]):
        result = app.test_cli_runner().invoke(args=command)
        assert result.exit_code == 1
        [line] = result.output.splitlines()
        assert line.startswith("errand: the database ")
        assert "cannot be used: " in line
        assert "secret" not in line


@pytest.mark.parametrize("what", WRONG)
def test_a_process_that_starts_ends_by_what_is_wrong_and_tells_what_may_pass(wrong, what, caplog):
    wrong(what)
    caplog.clear()
    if what == "nobody there":
        assert [startup.look_at_database() for _ in range(3)] == [False] * 3
        [line] = caplog.messages
        assert "Connection refused" in line
        return
    with pytest.raises(SystemExit) as ended:
        startup.wait_for_database()
    assert "cannot be used: " in str(ended.value)
    assert len(str(ended.value).splitlines()) == 1
    assert caplog.messages == []


def test_purging_without_the_schema_says_what_to_do(app):
    _forget_schema()
    result = app.test_cli_runner().invoke(args=["tasks", "purge"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "run flask --app webapp.wsgi migrate" in result.output


def test_a_worker_waits_for_the_schema_and_says_so_once(app, caplog, monkeypatch):
    caplog.set_level(logging.WARNING)
    _forget_schema()
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 20:
            db.migrate()

    monkeypatch.setattr(startup, "time", SimpleNamespace(sleep=pause))
    startup.wait_for_database()
    assert len(pauses) == 20
    assert max(pauses) == startup.MAX_PAUSE
    [line] = [words for words in caplog.messages if "not ready" in words]
    assert line == "The database is not ready: it has no schema yet: run flask --app webapp.wsgi migrate"
