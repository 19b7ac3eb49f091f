"""How long PostgreSQL is waited for: by this process, by the server, and by the system."""

import signal
import threading
import time
from contextlib import suppress

import psycopg
import pytest
from peewee import InternalError, OperationalError, PeeweeException, ProgrammingError

from tasks.queue import huey
from tests.bulkheads import hold_places
from tests.network import Network
from tests.processes import until
from webapp import db as db
from webapp.db import database, postgres_timeouts
from webapp.db.bulkhead import PLACES, Unavailable
from webapp.db.postgres import Server
from webapp.db.postgres_timeouts import Timeouts
from webapp.db.resilience import is_unavailable, persistently, tirelessly

HASTE = 0.5  # seconds, in place of five


@pytest.fixture
def network(postgres_url):
    with Network(int(postgres_url.rpartition("/")[0].rpartition(":")[2])) as network:
        yield network


@pytest.fixture
def far_url(postgres_url, network):
    return postgres_url.replace(postgres_url.rpartition("/")[0].rpartition(":")[2], str(network.port))


def _took(act, error: type[BaseException]) -> float:
    begun = time.monotonic()
    with pytest.raises(error):
        act()
    return time.monotonic() - begun


def _shown(setting: str) -> str:
    return database.execute_sql(f"SHOW {setting}").fetchone()[0]


# What is set


def test_web_and_queue_connections_have_timeouts(make_app, postgres_url):
    make_app(database_url=postgres_url, task_lease=7)
    assert _shown("statement_timeout") == "4500ms"
    assert _shown("idle_in_transaction_session_timeout") == "7s"
    with huey.storage.db() as cursor:
        assert cursor.execute("SHOW statement_timeout").fetchone()[0] == "4500ms"
    assert huey.storage._listen_conn().execute("SHOW idle_in_transaction_session_timeout").fetchone()[0] == "7s"


def test_database_url_overrides_connection_options(postgres_url):
    ours = Server(postgres_url, postgres_timeouts.of_web(15), guarded=False)
    theirs = Server(
        f"{postgres_url}?keepalives_idle=60&options=-c%20statement_timeout%3D33s", postgres_timeouts.of_web(15), False
    )
    with ours.connect() as one, theirs.connect() as other:
        known = one.info.get_parameters()
        assert (known["connect_timeout"], known["keepalives_idle"], known["tcp_user_timeout"]) == ("5", "5", "10000")
        assert other.info.get_parameters()["keepalives_idle"] == "60"
        assert other.execute("SHOW statement_timeout").fetchone()[0] == "33s"
        assert other.execute("SHOW idle_in_transaction_session_timeout").fetchone()[0] == "15s"


def test_session_uses_no_startup_options_which_a_pooler_refuses(postgres_url):
    with Server(postgres_url, postgres_timeouts.of_web(15), guarded=False).connect() as connection:
        assert "options" not in connection.info.get_parameters()


def test_migration_has_no_timeouts(make_app, postgres_url):
    make_app(database_url=postgres_url)
    seen = []
    db.migrate(lambda: seen.append([_shown("statement_timeout"), _shown("transaction_timeout")]))
    assert seen == [["0", "0"]]
    assert _shown("statement_timeout") == "4500ms"
    assert database.connection().timeouts.answer == 5


# What ends a wait


@pytest.mark.parametrize("fault", ["stall", "swallow"])
def test_query_to_a_silent_server_times_out_and_closes_the_connection(far_url, network, fault):
    connection = Server(far_url, Timeouts(HASTE), guarded=False).connect()
    getattr(network, fault)()
    assert _took(lambda: connection.execute("SELECT 1"), Unavailable) < 5
    assert connection.closed


def test_connecting_to_a_silent_server_times_out(far_url, network):
    network.stall()
    server = Server(f"{far_url}?connect_timeout=2", Timeouts(HASTE), guarded=False)
    assert _took(server.connect, psycopg.errors.ConnectionTimeout) < 10


def test_dripping_answer_times_out(far_url, network):
    connection = Server(far_url, Timeouts(HASTE), guarded=False).connect()
    network.drip(0.1)
    assert _took(lambda: connection.execute("SELECT repeat('x', 1000)"), Unavailable) < 5


def test_patient_process_waits_for_a_running_statement(postgres_url):
    with Server(postgres_url, Timeouts(0.1, patient=True), guarded=False).connect() as connection:
        assert connection.execute("SELECT pg_sleep(1.5), 'done'").fetchone()[1] == "done"


def test_patient_process_times_out_when_the_answer_was_lost(far_url, network):
    connection = Server(far_url, Timeouts(HASTE, patient=True), guarded=False).connect()
    network.swallow()
    network.heal()  # for others; what was open stays dead
    assert _took(lambda: connection.execute("SELECT 1"), Unavailable) < 10


def test_listening_has_no_timeout(postgres_url):
    with Server(postgres_url, Timeouts(0.1), guarded=False).connect() as connection:
        assert list(connection.notifies(timeout=0.5)) == []
        assert not connection.closed


def test_listener_notices_a_dead_connection(make_app, far_url, network, monkeypatch):
    make_app(database_url=far_url)
    monkeypatch.setattr("tasks.queue.LISTEN_CHECK_EVERY", 0.0)
    assert huey.storage.dequeue() is None
    dead = huey.storage._listen_local.conn
    dead.timeouts = Timeouts(HASTE)
    network.swallow()
    network.heal()
    huey.storage._conn.close()  # the other one, on which much is asked
    with pytest.raises(Unavailable):
        huey.storage.dequeue()
    assert dead.closed


def _ring_once_it_sleeps(url: str) -> None:
    sleeps = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"
    with psycopg.connect(url, autocommit=True) as connection:
        until(lambda: connection.execute(sleeps).fetchone())
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)


def test_statement_interrupted_by_a_signal_closes_the_connection(postgres_url):
    class Rung(BaseException):
        pass

    def ring(*_: object) -> None:
        raise Rung

    before = signal.signal(signal.SIGALRM, ring)
    connection = Server(postgres_url, Timeouts(30), guarded=False).connect()
    other = threading.Thread(target=_ring_once_it_sleeps, args=(postgres_url,))
    try:
        other.start()
        with pytest.raises(Rung):
            connection.execute("SELECT pg_sleep(20)")
    finally:
        other.join()
        signal.signal(signal.SIGALRM, before)
    assert connection.closed


# What an error says


def _raise_sqlstate(state: str) -> PeeweeException:
    words = f"DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(PeeweeException) as caught:
        database.execute_sql(words)
    return caught.value


def test_error_is_unavailable_by_its_sqlstate(make_app, postgres_url):
    make_app(database_url=postgres_url)
    away = ("08006", "25006", "25P03", "40001", "40P01", "53100", "53300", "57014", "57P01", "57P02", "57P03", "58030")
    assert [state for state in away if not is_unavailable(_raise_sqlstate(state))] == []
    asked_wrongly = ("22012", "23505", "25P02", "42P01", "42601", "P0001", "XX000")
    assert [state for state in asked_wrongly if is_unavailable(_raise_sqlstate(state))] == []
    assert not is_unavailable(ValueError("closed"))


def test_idle_transaction_is_ended_and_counts_as_unavailable(make_app, postgres_url):
    make_app(database_url=postgres_url, task_lease=1)

    def sleep_in_a_transaction() -> None:
        with database.atomic():
            database.execute_sql("SELECT 1")
            time.sleep(1.5)
            database.execute_sql("SELECT 1")

    with pytest.raises((InternalError, OperationalError)) as caught:
        sleep_in_a_transaction()
    assert is_unavailable(caught.value)


def test_persistently_retries_a_lost_connection_and_nothing_else(make_app, far_url, network):
    make_app(database_url=far_url)
    tries = []

    def ask(sql: str) -> None:
        tries.append(sql)
        database.execute_sql(sql)

    database.execute_sql("SELECT 1")
    network.cut()
    persistently(lambda: ask("SELECT 1"))
    assert len(tries) == 2
    with pytest.raises(ProgrammingError):
        persistently(lambda: ask("SELECT nothing_of_the_kind"))
    assert len(tries) == 3


def test_a_statement_that_the_server_gave_up_is_not_repeated(make_app, postgres_url):
    """It has waited for as long as it may, as for a table that is locked, and would for as long again."""
    make_app(database_url=postgres_url)
    asked = []

    def ask() -> None:
        asked.append(1)
        database.execute_sql("SET statement_timeout = '50ms'")
        database.execute_sql("SELECT pg_sleep(60)")

    with pytest.raises(OperationalError, match="statement timeout"):
        persistently(ask)
    assert len(asked) == 1


def test_a_brief_read_is_given_up_alone_and_what_follows_has_all_its_time(make_app, postgres_url):
    make_app(database_url=postgres_url)
    with pytest.raises(OperationalError, match="statement timeout"), db.briefly(0.05):
        database.execute_sql("SELECT pg_sleep(60)")
    with db.briefly(0.05):
        assert _shown("statement_timeout") == "50ms"
    assert _shown("statement_timeout") == "4500ms"


def test_tirelessly_retries_until_the_database_is_back(make_app, far_url, network):
    make_app(database_url=far_url)
    network.refuse()
    threading.Timer(1, network.heal).start()
    assert tirelessly(lambda: database.execute_sql("SELECT 5").fetchone()[0], lambda: False) == 5


def test_tirelessly_gives_up_when_told_to(make_app, far_url, network):
    make_app(database_url=far_url)
    network.refuse()
    with pytest.raises(OperationalError):
        tirelessly(lambda: database.execute_sql("SELECT 1"), lambda: True)


# Its place in the bulkhead


def test_open_transaction_keeps_its_place_in_the_bulkhead(make_app, postgres_url):
    make_app(database_url=postgres_url)
    bulkhead = database.obj.server.bulkhead
    over = threading.Event()
    with database.atomic():
        database.execute_sql("SELECT 1")
        threads = hold_places(bulkhead, PLACES - 1, over)
        database.execute_sql("SELECT 1")
    over.set()
    for thread in threads:
        thread.join()
    assert bulkhead._free == PLACES


@pytest.mark.parametrize("end", ["commit", "rollback", "cut"])
def test_end_of_a_transaction_frees_its_place_in_the_bulkhead(make_app, far_url, network, end):
    make_app(database_url=far_url)
    database.execute_sql("SELECT 1")
    with suppress(PeeweeException, ValueError), database.atomic():
        database.execute_sql("SELECT 1")
        if end == "rollback":
            raise ValueError
        if end == "cut":
            network.cut()
    assert database.obj.server.bulkhead._free == PLACES
