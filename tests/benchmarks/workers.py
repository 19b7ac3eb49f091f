"""Tracked tasks a second by the number of worker processes, and what a long line or an open snapshot makes of them.

The sites of a column or row are there at once, and each works in its turns while the others stand still.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

import psycopg
from huey.storage import PostgresStorage

from tasks.queue import huey
from tests.benchmarks.backlog import fill, send
from tests.benchmarks.pool import Pool, pool, take_turns
from tests.benchmarks.sites import storage
from tests.benchmarks.table import show
from tests.benchmarks.worker import ten_steps
from tests.services import postgres_server, redis_server
from webapp.db import database
from webapp.models import State, Task, User

PROCESSES = 1, 2, 4, 8
FEW, MANY = 6_000, 200_000  # tasks that wait
TAKEN = 30_000  # while the snapshot is open
PEOPLE = 200
SLOW_DISK = {"fsync": "on", "commit_delay": "2000", "commit_siblings": "0"}  # microseconds, before each flush

NewDatabase = Callable[[], str]


def main() -> None:
    """Two tables."""
    with redis_server() as redis, postgres_server() as plain, postgres_server(**SLOW_DISK) as slow:
        queues = (f"{redis}/{number}" for number in count())
        _show_curve(queues, {"": plain, ", a commit takes 2 ms more": slow})
        _show_lines(queues, plain)


def _show_curve(queues: Iterator[str], servers: dict[str, NewDatabase]) -> None:
    """The curve: one person and many, on a disk that is nearly free and on one that is not."""
    columns = [(disk, number) for disk in servers for number in (1, PEOPLE)]
    pools: dict[tuple[int, str, int], Pool] = {}
    for disk, number in columns:
        filled = servers[disk]()
        with storage(DATABASE_URL=filled, REDIS_URL=next(queues)):
            fill(_people(number), FEW)
        with ExitStack() as sites:
            for processes in PROCESSES:
                variables = {"DATABASE_URL": _copy(filled, processes), "REDIS_URL": next(queues)}
                pools[processes, disk, number] = sites.enter_context(pool(processes, _send_all, **variables))
            take_turns([pools[processes, disk, number] for processes in PROCESSES])
    show(
        "Tracked tasks a second, PostgreSQL + Redis (beside two processes; CPU time a task)",
        ("processes", *(f"{'one person' if number == 1 else f'{number} people'}{disk}" for disk, number in columns)),
        (
            (str(processes), *(_beside(pools[processes, *column], pools[2, *column]) for column in columns))
            for processes in PROCESSES
        ),
    )


def _copy(url: str, number: int) -> str:
    """Another database with the same rows, which nobody is connected to."""
    name = url.rpartition("/")[2]
    with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}_{number} TEMPLATE {name} STRATEGY FILE_COPY")
    return f"{url}_{number}"


def _send_all(_: dict[str, str]) -> None:
    """A message for each of the tasks that have been copied."""
    ten_steps.launch(User.select().get())
    send(FEW)


def _show_lines(queues: Iterator[str], new_database: NewDatabase) -> None:
    """What the line costs: a long one, and the entries of what was taken from it that nobody can clear."""
    rows = []
    for name, variables in (
        ("SQLite", dict),
        ("PostgreSQL", lambda: {"DATABASE_URL": new_database()}),
        ("PostgreSQL + Redis", lambda: {"DATABASE_URL": new_database(), "REDIS_URL": next(queues)}),
    ):
        with ExitStack() as sites:
            few = sites.enter_context(pool(2, lambda _: fill(_people(PEOPLE), FEW), **variables()))
            others = [sites.enter_context(pool(2, lambda _: fill(_people(PEOPLE), MANY), **variables()))]
            if name != "SQLite":
                others.append(sites.enter_context(pool(2, lambda env: _take_under_snapshot(sites, env), **variables())))
            take_turns([few, *others])
        rows.append((name, _beside(few, few), *(_beside(each, few) for each in others), *["-"] * (2 - len(others))))
    head = "storage", f"{FEW:,} wait", f"{MANY:,} wait", f"{TAKEN:,} were taken under a snapshot that is open"
    show(f"Tracked tasks a second of {PEOPLE} people, 2 worker processes", head, rows)


def _take_under_snapshot(sites: ExitStack, env: dict[str, str]) -> None:
    """What workers that take so many tasks leave in the indexes of tasks and messages."""
    fill(_people(PEOPLE), FEW + TAKEN)
    sites.enter_context(_snapshot(env["DATABASE_URL"]))
    first = Task.select(Task.id).where(Task.state == State.PENDING).order_by(Task.queue_key).limit(TAKEN)
    Task.update(state=State.CANCELED, queue_key=None).where(Task.id.in_(first)).execute()
    if isinstance(huey.storage, PostgresStorage):
        oldest = f"SELECT id FROM huey_task ORDER BY id LIMIT {database.param}"
        database.execute_sql(f"DELETE FROM huey_task WHERE id IN ({oldest})", (TAKEN,))


@contextmanager
def _snapshot(url: str) -> Iterator[None]:
    """As a backup holds one for as long as it takes."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM users")
        yield


def _people(number: int) -> list[User]:
    return [User.register_guest() for _ in range(number)]


def _beside(pool: Pool, limit: Pool) -> str:
    return f"{pool.rate:.0f} ({pool.rate / limit.rate:.2f}; {pool.cost / 1000:.1f} ms)"
