"""Fills a site with rows, by SQL alone: more than a million of each kind in a minute or two.

There are a crowd, a reader, who has PAGE rows of each kind however large the site is, and two heavy people. HOG_A has
closed no alert, read nothing, has tasks in many states, and one long conversation. HOG_B has closed and read
everything, and writes to everybody. The rows of all are mixed in time, so that what is newest is of everybody.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

from tests.benchmarks.filled_rows import INTO
from webapp.db import database, fulltext, is_postgres
from webapp.db.connections import without_deadlines
from webapp.db.cursor import Cursor
from webapp.models import User

PAGE = 300  # rows by which every page of a person is full, also of a tenth of them
READER, HOG_A, HOG_B = "reader", "hoga", "hogb"
# Words of posts, messages, titles and profiles: in every one, in a sixth, in a fiftieth, in the reader's, in none.
EVERYWHERE, OFTEN, SELDOM, RARE, NOWHERE = "common", "often3", "seldom33", "rare", "nowhere"


@dataclass(frozen=True)
class Size:
    """How many people are in the crowd, how many rows of each kind each of them has, and how many a heavy person."""

    people: int
    each: int
    heavy: int


SMALL = Size(people=100, each=10, heavy=PAGE)
LARGE = Size(people=1000, each=1000, heavy=100_000)


def fill(size: Size, only: frozenset[str] = frozenset(), then: Sequence[str] = ()) -> None:
    """Fill the database, which has been migrated and is otherwise empty; `only` these tables, if any are named, and
    `then` by these statements, which may use the slots and what of _dialect they name in braces.

    What indexes and triggers derive from rows is made at the end, all at once: several times as fast as row by row.
    """
    _prepare()
    with without_deadlines(), database.atomic():
        _plan(size)
        with _search_indexes_later(), _triggers_later(), _indexes_later():
            for table, columns, rows in INTO:
                if only and table not in only:
                    continue
                values = ", ".join(columns.values()).format(**_dialect(), people=size.people)
                _run(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {rows}")
            for statement in then:
                _run(statement.format(**_dialect()))
    with without_deadlines():
        _run("VACUUM ANALYZE" if is_postgres() else "PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _prepare() -> None:
    """Let this connection write fast rather than safely, and trust the references of the rows."""
    if is_postgres():
        _run("SET session_replication_role = replica")
        _run("SET maintenance_work_mem = '512MB'")
        return
    for pragma in ("foreign_keys = OFF", "synchronous = OFF", "temp_store = MEMORY", "cache_size = -1000000"):
        _run(f"PRAGMA {pragma}")


@contextmanager
def _search_indexes_later() -> Iterator[None]:
    for table in fulltext.INDEXED:
        fulltext.drop(database.obj, table)
    yield
    fulltext.mend(database.obj)


@contextmanager
def _triggers_later() -> Iterator[None]:
    """Without the triggers, which PostgreSQL leaves out anyway; in place of what they write, all at once."""
    found = {} if is_postgres() else _named("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    for name in found:
        _run(f"DROP TRIGGER {name}")
    yield
    _run(import_module("webapp.db.migrations.0028_conversations").add("messages"))
    import_module("webapp.db.migrations.0041_storage").count(database.obj)
    for definition in found.values():
        _run(definition)


@contextmanager
def _indexes_later() -> Iterator[None]:
    found = _named(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        if is_postgres()
        else "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT LIKE 'CREATE UNIQUE%'"
    )
    for name in found:
        _run(f'DROP INDEX "{name}"')
    yield
    for name, definition in found.items():
        if not name.endswith("_search"):  # by which only a release long ago searched
            _run(definition)


def _named(sql: str) -> dict[str, str]:
    """Names and definitions."""
    return dict(_run(sql).fetchall())


def person(name: str) -> User:
    """READER, HOG_A, HOG_B, or one of the crowd: `p1`, `p2`, …"""
    return User.get(User.username == name)


def _plan(size: Size) -> None:
    """`slots` has a row for each task to be, and so for what belongs to it: whose it is, and when it was started.

    `n` goes through all of them in the order of time, `k` through those of a role.
    """
    number = size.people * size.each
    rows = {0: number, 1: PAGE, 2: size.heavy, 3: size.heavy}
    dialect = _dialect()
    _run("CREATE TEMPORARY TABLE numbers (k INTEGER PRIMARY KEY)")
    _run(
        "INSERT INTO numbers WITH RECURSIVE counted (k) AS"
        f" (SELECT 0 UNION ALL SELECT k + 1 FROM counted WHERE k < {max(rows.values()) - 1}) SELECT k FROM counted"
    )
    _run("CREATE TEMPORARY TABLE roles (role INTEGER, number INTEGER)")
    _run(f"INSERT INTO roles VALUES {', '.join(map(str, rows.items()))}")
    owner = f"CASE WHEN role = 0 THEN 1 + k % {size.people} ELSE {size.people} + role END"
    _run(
        f"CREATE TEMPORARY TABLE slots AS SELECT n, role, k, user_id, {dialect['at']} AS at,"
        f" {dialect['id']} AS task_id,"
        " CASE WHEN role <> 2 OR k % 10 < 5 THEN CASE WHEN k % 10 = 4 THEN 'failed' ELSE 'succeeded' END"
        " WHEN k % 10 < 7 THEN 'pending' WHEN k % 10 < 9 THEN 'scheduled' ELSE 'paused' END AS state"
        f" FROM (SELECT row_number() OVER (ORDER BY (k + 0.5) / number, role) AS n, role, k, {owner} AS user_id,"
        f" {sum(rows.values())} AS rows FROM roles JOIN numbers ON k < number) AS planned"
    )


def _dialect() -> dict[str, str]:
    """What the databases spell otherwise: times and ids of slots, and JSON."""
    if is_postgres():
        now = "date_trunc('second', now() AT TIME ZONE 'UTC')"
        at, row_id = f"{now} - (rows - n) * interval '1 second'", "lpad(to_hex(n), 32, '0')::uuid"
        ago = "date_trunc('{unit}', now() AT TIME ZONE 'UTC') - k * interval '1 {unit}'"
        spans = {unit: ago.format(unit=unit) for unit in ("minute", "hour")}
        return {"now": now, "at": at, "id": row_id, "scope": "task_id::text", "json": "JSONB"} | spans
    dashed = " || '-' || ".join(f"substr(task_id, {s}, {n})" for s, n in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12)))
    row_id = "printf('%032x', n)"
    at = "strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || (rows - n) || ' seconds')"
    now = "strftime('%Y-%m-%d %H:%M:%S', 'now')"
    forms = {"minute": "%Y-%m-%d %H:%M:00", "hour": "%Y-%m-%d %H:00:00"}
    spans = {unit: f"strftime('{form}', 'now', '-' || k || ' {unit}s')" for unit, form in forms.items()}
    return {"now": now, "at": at, "id": row_id, "scope": dashed, "json": "TEXT"} | spans


def _run(sql: str) -> Cursor:
    return database.execute_sql(sql.replace("%", "%%") if is_postgres() else sql)
