"""Tracked tasks a second by the number of worker processes, and what a long line or an open snapshot makes of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from huey.storage import PostgresStorage

from tasks.queue import huey
from tests.benchmarks.backlog import fill
from tests.benchmarks.sites import storage, worker
from tests.benchmarks.table import show
from tests.processes import until
from tests.services import postgres_server, redis_server
from webapp.db import database
from webapp.models import State, Task, User

SECONDS = 1.5
PROCESSES = 1, 2, 4, 8
FEW, MANY = 6_000, 200_000  # tasks that wait
TAKEN = 30_000  # while the snapshot is open
PEOPLE = 200
SLOW_DISK = {"fsync": "on", "commit_delay": "2000", "commit_siblings": "0"}  # microseconds, before each flush


def main() -> None:
    """Two tables."""
    with redis_server() as redis, postgres_server() as plain, postgres_server(**SLOW_DISK) as slow:
        _show_curve(redis, {"": plain, ", a commit takes 2 ms more": slow})
        _show_lines(redis, plain)


def _show_curve(redis: str, servers: dict[str, Callable[[], str]]) -> None:
    """The curve: one person and many, on a disk that is nearly free and on one that is not."""
    cells = [(server, number) for server in servers for number in (1, PEOPLE)]
    found: dict[tuple[int, str, int], float] = {}
    for server, number in cells:
        for processes in PROCESSES:
            with storage(DATABASE_URL=servers[server](), REDIS_URL=redis) as env:
                fill(_people(number), FEW)
                found[processes, server, number] = _rate(env, processes)
    show(
        "Tracked tasks a second, PostgreSQL + Redis (beside two processes)",
        ("processes", *(f"{'one person' if number == 1 else f'{number} people'}{server}" for server, number in cells)),
        (
            (str(processes), *(_beside(found[processes, *cell], found[2, *cell]) for cell in cells))
            for processes in PROCESSES
        ),
    )


def _show_lines(redis: str, new_database: Callable[[], str]) -> None:
    """What the line costs: a long one, and the entries of what was taken from it that nobody can clear."""
    rows = []
    for name, variables in (
        ("SQLite", dict),
        ("PostgreSQL", lambda: {"DATABASE_URL": new_database()}),
        ("PostgreSQL + Redis", lambda: {"DATABASE_URL": new_database(), "REDIS_URL": redis}),
    ):
        few, many = (_drain(variables(), number) for number in (FEW, MANY))
        snapshot = _drain(variables(), FEW + TAKEN, TAKEN) if name != "SQLite" else 0.0
        rows.append((name, f"{few:.0f}", _beside(many, few), _beside(snapshot, few) if snapshot else "-"))
    head = "storage", f"{FEW:,} wait", f"{MANY:,} wait", f"{TAKEN:,} were taken under a snapshot that is open"
    show(f"Tracked tasks a second of {PEOPLE} people, 2 worker processes", head, rows)


def _drain(variables: dict[str, str], number: int, taken: int = 0) -> float:
    with storage(**variables) as env:
        fill(_people(PEOPLE), number)
        if not taken:
            return _rate(env, 2)
        with _snapshot(env["DATABASE_URL"]):
            _take(taken)
            return _rate(env, 2)


@contextmanager
def _snapshot(url: str) -> Iterator[None]:
    """As a backup holds one for as long as it takes."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM users")
        yield


def _take(number: int) -> None:
    """What workers that take so many tasks leave in the indexes of tasks and messages."""
    first = Task.select(Task.id).where(Task.state == State.PENDING).order_by(Task.queue_key).limit(number)
    Task.update(state=State.CANCELED, queue_key=None).where(Task.id.in_(first)).execute()
    if isinstance(huey.storage, PostgresStorage):
        database.execute_sql(
            "DELETE FROM huey_task WHERE id IN (SELECT id FROM huey_task ORDER BY id LIMIT %s)", (number,)
        )


def _people(number: int) -> list[User]:
    return [User.register_guest() for _ in range(number)]


def _rate(env: dict[str, str], processes: int) -> float:
    """Tasks a second, once each process has got going."""
    done = Task.select().where(Task.state == State.SUCCEEDED)
    with worker("tests.benchmarks.worker", env, processes):
        until(lambda: done.count() > 20 * processes)
        before, begun = done.count(), time.perf_counter()
        time.sleep(SECONDS)
        return (done.count() - before) / (time.perf_counter() - begun)


def _beside(rate: float, limit: float) -> str:
    return f"{rate:.0f} ({rate / limit:.2f})"
