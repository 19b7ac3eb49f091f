"""Releases that differ in their schema: the older goes on with the newer's, and there is a way back."""

import ast
import logging
import shutil
import sys
import threading
from datetime import datetime, timedelta

import pytest

from webapp.db import (
    MIGRATIONS,
    configure,
    database,
    fulltext,
    is_postgres,
    migrate,
    migration_runner,
    migrations,
    schema,
)
from webapp.dev.factories import make_post, make_task, make_user
from webapp.models import Notification, Post, Task

# What a release of before this writes, the present schema need not take any more. A migration that takes something
# away, a release after the last that needs it, moves this on.
OLDEST = "0002_never_lost"
NEWEST = max(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))
FROM_THE_FUTURE = "9999_from_the_future"
PREPARED_AFTER = 5  # times that psycopg executes a statement on a connection
LEASE = timedelta(seconds=15)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path):
    """An empty database; this process is connected to it."""
    url = f"sqlite:///{tmp_path / 'site.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    configure(url)
    yield
    database.close()


@pytest.fixture
def own_migrations(monkeypatch, tmp_path):
    """The folder of the migrations that this process knows, to add to."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migration_runner, "MIGRATIONS", folder)
    return folder


def _flask(app, *command: str, code: int = 0, given: str | None = None) -> list[str]:
    result = app.test_cli_runner().invoke(args=command, input=given)
    assert result.exit_code == code, result.output
    return result.output.splitlines()


def _columns() -> dict[str, dict[str, str]]:
    """Of every table the columns of a release, with their types; what only an index consists of is not its."""
    db = database.obj
    tables = [table for table in db.get_tables() if "_search" not in table and "_terms" not in table]
    return {
        table: {column.name: column.data_type.lower() for column in db.get_columns(table)}
        for table in tables
        if table != "schema_migration"
    }


def _some(kind: str, number: int) -> object:
    """A value for a column of this type, another for each number."""
    for part, value in {
        "uuid": f"00000000-0000-0000-0000-{number:012}",
        "bool": False,
        "json": "{}",
        "bytea": b"-",
        "blob": b"-",
        "time": datetime(2026, 1, 1),
        "char": f"{number:x}",
        "text": f"{number:032}",
    }.items():
        if part in kind:
            return value
    return number


def _insert(table: str, columns: dict[str, str], number: int) -> None:
    values = {name: _some(kind, number) for name, kind in columns.items()}
    marks = ", ".join([database.param] * len(values))
    database.execute_sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def _let_references_be() -> None:
    off = "SET session_replication_role = replica" if migration_runner.is_postgres() else "PRAGMA foreign_keys = 0"
    database.execute_sql(off)


# Older code on a newer schema


def test_every_supported_release_can_insert_into_the_newest_schema(empty):
    releases = {}
    for migration in migrations().status():
        migrations().up(migration.name)
        releases[migration.name] = _columns()
    _let_references_be()
    known = [name for name in releases if name >= OLDEST]
    assert len(known) > 10, "or this says little"
    number = 1000
    for name in known:
        for table, columns in releases[name].items():
            number += 1
            try:
                _insert(table, columns, number)
            except Exception as error:
                pytest.fail(f"the release of {name} cannot write {table} any more: {error}")


def test_a_process_goes_on_when_columns_are_added(empty):
    """PostgreSQL refuses a statement that it has prepared and that would now give more columns, like `RETURNING *`."""
    migrate()
    user = make_user()

    def work() -> None:
        started = Task.start(user, "countdown", "Count", {})
        claimed = Task.claim(LEASE)
        assert claimed == started
        assert claimed.advance(1, 2, "Counting")
        claimed.succeed()
        assert Notification.of(user).first().task_id == started.id
        assert [event.kind for event in started.timeline()] == ["launched", "started", "succeeded"]

    for _ in range(2 * PREPARED_AFTER):
        work()
    add_columns = threading.Thread(target=_add_columns, args=("users", "tasks", "task_events", "notifications"))
    add_columns.start()
    add_columns.join()
    work()


def _add_columns(*tables: str) -> None:
    with database.connection_context():
        for table in tables:
            database.execute_sql(f"ALTER TABLE {table} ADD COLUMN of_the_future INTEGER")


def test_migrations_import_no_code_of_ours():
    """What it does must be the same in each release, also where an author has taken a part of the site away."""
    frozen = {"peewee", "playhouse", *sys.stdlib_module_names}
    for path in sorted(MIGRATIONS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path.name
                assert node.module.partition(".")[0] in frozen, f"{path.name} imports {node.module}"
            elif isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= frozen, path.name


def test_migrate_leaves_a_newer_schema_alone_and_says_so(make_app, postgres_url):
    for url in ({}, {"database_url": postgres_url}):
        app = make_app(**url)
        fulltext.drop(database.obj, "posts")  # as the newer release may have had a reason to
        migrations().History.create(name=FROM_THE_FUTURE)
        before = _columns()
        [line] = _flask(app, "migrate")
        assert FROM_THE_FUTURE in line
        assert "newer" in line
        assert _flask(app, "migrate", "--check") == [line]
        assert _columns() == before
        assert fulltext.mend(database.obj) == ["posts"], "it was not put back"


def test_defaults_are_added_to_tables_with_rows_indexes_and_triggers(empty):
    migrations().up()
    task, post = make_task(title="kept"), make_post(body="kept")
    Post.update(task=task).execute()
    indexes = {index.sql for index in database.get_indexes("tasks")}
    migrations().down("0020_defaults")
    is_sqlite = not is_postgres()
    if is_sqlite:
        database.execute_sql("CREATE TRIGGER mine AFTER DELETE ON tasks BEGIN DELETE FROM rate_counts; END")
        database.execute_sql("CREATE VIEW ours AS SELECT title FROM tasks JOIN posts ON posts.task_id = tasks.id")
    migrate()
    assert (Task.get().title, Post.get().task_id, Post.get().id) == ("kept", task.id, post.id)
    assert {index.sql for index in database.get_indexes("tasks")} == indexes
    if is_sqlite:
        assert database.execute_sql("SELECT title FROM ours").fetchall() == [("kept",)]
        assert database.execute_sql("SELECT 1 FROM sqlite_master WHERE name = 'mine'").fetchall()
        assert database.execute_sql("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
    Task.delete().execute()
    assert Post.get().task_id is None, "references to it are kept"


# What is told


def test_migrate_check_names_pending_migrations(app):
    assert len(_flask(app, "migrate", "--check")) == 1
    _flask(app, "migrate", "--down", "1", "--yes")
    [line] = _flask(app, "migrate", "--check", code=1)
    assert NEWEST in line
    assert _flask(app, "migrate", "--list")[-1].split() == ["pending", NEWEST]
    assert _flask(app, "migrate") == [f"Applied {NEWEST}"]
    assert _flask(app, "migrate") == _flask(app, "migrate", "--check"), "that nothing was to be done is told, too"
    assert _flask(app, "migrate", "--list")[-1].split() == ["applied", NEWEST]


# The way back


def test_rollback_by_number_and_by_name(make_app, postgres_url, caplog):
    caplog.set_level(logging.INFO, "peewee.migrations")
    for url in ({}, {"database_url": postgres_url}):
        app, newest = make_app(**url), _columns()
        caplog.clear()
        said = _flask(app, "migrate", "--down", "0015", "--yes")
        assert caplog.messages.count("down: 0015_sign_in") == 1, "what was only tried out is not in the log"
        assert any("rate_counts" in line and "users.skeleton" in line for line in said), "what is lost is told"
        assert "rate_counts" not in _columns()
        assert "skeleton" not in _columns()["users"]
        _flask(app, "migrate", "--down", "2", "--yes")
        assert schema.pending()[0] == "0013_terms"
        _flask(app, "migrate")
        assert _columns() == newest


@pytest.mark.parametrize("answer", ["n\n", ""], ids=["no", "nobody is there to answer"])
def test_rollback_needs_confirmation(app, answer):
    before = _columns()
    _flask(app, "migrate", "--down", "0001_initial", code=1, given=answer)
    assert _columns() == before
    assert not schema.pending()


@pytest.mark.parametrize("which", ["0", "-1", "99", "00", "0099_none", "", "x", "9" * 5000, "initial"])
def test_rollback_of_an_impossible_number_or_name_fails_in_one_line(app, which):
    [line] = _flask(app, "migrate", f"--down={which}", "--yes", code=1)
    assert line.startswith("Error: ")
    assert not schema.pending()


def test_rollback_without_down_or_of_other_code_fails(app, own_migrations):
    (own_migrations / "9000_for_good.py").write_text("def up(migrator, db): pass\n")
    _flask(app, "migrate")
    [line] = _flask(app, "migrate", "--down", "2", "--yes", code=1)
    assert "9000_for_good can't be rolled back" in line
    (own_migrations / "9000_for_good.py").unlink()
    [line] = _flask(app, "migrate", "--down", "1", "--yes", code=1)
    assert "9000_for_good is unknown to this release" in line
    assert not schema.pending()


# Migrations of one's own beside those of the product

TABLE = "def up(migrator, db): db.execute_sql('CREATE TABLE {0} (id INTEGER)')\n"
TABLE += "def down(migrator, db): db.execute_sql('DROP TABLE {0}')\n"


def test_migrations_with_clashing_or_late_numbers_are_applied(app, own_migrations):
    for name in ("9001_theirs", "9001_mine", "9002_after"):
        (own_migrations / f"{name}.py").write_text(TABLE.format(name[5:]))
    assert _flask(app, "migrate") == ["Applied 9001_mine", "Applied 9001_theirs", "Applied 9002_after"]
    (own_migrations / "9000_late.py").write_text(TABLE.format("late"))
    assert _flask(app, "migrate") == ["Applied 9000_late"]
    [line] = _flask(app, "migrate", "--down", "9001_", "--yes", code=1)
    assert "9001_mine, 9001_theirs" in line, "which of them was meant?"
    assert _flask(app, "migrate", "--down", "9001_mine", "--yes")[:2] == [
        "9002_after: deletes after",
        "9001_theirs: deletes theirs",
    ]
    assert {"late"} == {"late", "mine", "theirs", "after"} & set(database.get_tables())
