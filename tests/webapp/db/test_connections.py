"""Each thread keeps its connection to the database; one that has died meanwhile is replaced, and nobody notices."""

import gc
import threading

import psycopg
import pytest

from tasks.engine import executor
from tests.browsing import browse
from tests.processes import until
from webapp.db import connect_to_postgres, database
from webapp.dev.factories import make_task, make_user
from webapp.models import State


@pytest.fixture
def hang_up(make_app, postgres_url):
    """A function by which the server closes the app's connection, as its restart would."""
    app = make_app(database_url=postgres_url)

    def hang_up() -> None:
        [pid] = database.execute_sql("SELECT pg_backend_pid()").fetchone()
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))

    return app, hang_up


@pytest.mark.parametrize("path", ["/", "/tasks", "/live"])
def test_request_reconnects_after_the_server_closed_the_connection(hang_up, path):
    app, hang_up = hang_up
    ann = browse(app, make_user("ann"))
    version = ann.get("/live").headers["ETag"]
    hang_up()
    assert ann.get(path, headers={"If-None-Match": version}).status_code == (304 if path == "/live" else 200)


def test_claim_reconnects_after_the_server_closed_the_connection(hang_up, configure):
    # The heartbeat's thread would keep a connection of its own for longer than this database lives.
    configure(heartbeat=False)
    _, hang_up = hang_up
    task = make_task(State.PENDING, name="export_posts", arguments={"format": "json"})
    hang_up()
    assert executor.execute_next()
    assert task.reload().state == State.SUCCEEDED


def test_thread_that_ends_closes_its_connection_without_a_warning(make_app, postgres_url, recwarn):
    make_app(database_url=postgres_url)
    pids: list[int] = []
    thread = threading.Thread(target=lambda: pids.extend(database.execute_sql("SELECT pg_backend_pid()").fetchone()))
    thread.start()
    thread.join()
    gc.collect()
    query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    until(lambda: database.execute_sql(query, (pids[0],)).fetchone() == (0,))
    assert not [str(warning.message) for warning in recwarn]


def test_sqlite_has_no_server_that_the_queue_could_connect_to(app):
    with pytest.raises(TypeError, match="SQLite"):
        connect_to_postgres()
