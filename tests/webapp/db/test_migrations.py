"""The schema: what the migrations make is what the models say, on each database, however often and by however many."""

import subprocess
import threading

import psycopg
import pytest
from peewee import SqliteDatabase
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from tests.processes import BIN, ROOT, until
from webapp.db import MIGRATIONS, configure, database, is_postgres, migrate, migrations
from webapp.dev.account_factories import (
    make_api_token,
    make_block,
    make_deletion,
    make_email_change,
    make_picture,
    make_report,
)
from webapp.dev.desk_factories import make_suspension
from webapp.dev.factories import (
    make_artifact,
    make_form_key,
    make_mailing,
    make_mailing_file,
    make_message,
    make_notification,
    make_post,
    make_task,
    make_user,
)
from webapp.models import (
    MODELS,
    AccountMail,
    AuditEntry,
    ErrorReport,
    FailureGroup,
    ForceEnd,
    IdempotencyKey,
    KindControl,
    Leader,
    MailCount,
    MailPace,
    NoticeCount,
    OutcomeMail,
    PictureUpload,
    RateCount,
    RecoveryCode,
    Session,
    SiteAlert,
    State,
    Suppression,
    User,
    Worker,
    rename,
    statistics,
)
from webapp.models.mailing.suppression import Reason

# No model can declare them: `_search` is what the release before searches by.
SEARCHED_BY = {f"{table}_{index}" for table in ("posts", "messages") for index in ("terms", "without_terms", "search")}
SEARCHED_BY |= {"users_by_name"}  # on PostgreSQL alone, by a collation that SQLite has by itself


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """An empty database; this process is connected to it."""
    url = (
        f"sqlite:///{tmp_path / 'errand.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    configure(url)
    yield url
    database.close()


def _tables() -> set[str]:
    return {model._meta.table_name for model in MODELS}


def _schema() -> dict[str, object]:
    """Of every table its columns, with their types, defaults and whether they may be null, and its indexes."""
    db = database.obj
    return {
        table: (
            {(column.name, column.data_type, column.null, column.default) for column in db.get_columns(table)},
            {(tuple(index.columns), index.unique) for index in db.get_indexes(table) if index.name not in SEARCHED_BY},
        )
        for table in sorted(database.get_tables())
        if table != "schema_migration"
    }


def _difference() -> list[str]:
    """What the models lack of the database and it of them, but for the words of texts, which no model can declare."""
    found = diff_models(database.obj, MODELS)
    surplus = [index for index in found.drop_indexes if index.name not in SEARCHED_BY]
    return str(found._replace(drop_indexes=surplus)).splitlines()


def test_the_models_and_the_migrations_agree(url):
    migrate()
    assert _difference() == []


def test_a_migrated_database_is_like_one_made_from_the_models(url):
    migrate()
    database.execute_sql("DROP TABLE notices")  # no model is: only the release before has it
    migrated = _schema()
    if not is_postgres():  # where a table that is dropped takes the rows of others with it, with what their triggers do
        for (name,) in database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute_sql(f"DROP TRIGGER {name}")
    database.drop_tables(MODELS, cascade=is_postgres())  # some refer to a model that is defined later
    database.create_tables(MODELS)
    assert migrated == _schema()


def test_every_foreign_key_exists_in_the_database(url):
    migrate()
    for model in MODELS:
        references = {(field.column_name, other._meta.table_name) for field, other in model._meta.refs.items()}
        kept = {(key.column, key.dest_table) for key in database.get_foreign_keys(model._meta.table_name)}
        assert kept == references


def test_deleting_a_person_deletes_what_is_theirs(each_database):
    user = make_user()
    make_post(user)
    make_artifact(task := make_task(State.SUCCEEDED, user))
    ForceEnd.create(task=task, fencing_token="t")
    OutcomeMail.create(user=user, task=task, ended_at=task.finished_at)
    NoticeCount.take(user)
    make_message(other := make_user(), user)
    make_notification(user)
    make_mailing_file(make_mailing(user))
    MailCount.create(user=user, number=1)
    Suppression.add(user.id, ["bea@example.com"], Reason.ENTERED)
    make_form_key(user)
    IdempotencyKey.create(user=user, key="k", request="r")
    Session.begin(user, "key")
    AccountMail.put("password_changed", "ann@example.com", user)
    make_api_token(user)
    RecoveryCode.create(user=user, salt="00", code_hash="00")
    make_email_change(user)
    rename(user, "somebody-else")
    PictureUpload.put(user, b"data")
    make_picture(user)
    make_block(other, user)
    make_report(user, make_post(other))
    make_deletion(make_user())
    make_suspension(user, make_task(State.PAUSED, user))
    of_nobody = {
        AuditEntry,
        ErrorReport,
        FailureGroup,
        KindControl,
        Leader,
        MailPace,
        RateCount,
        SiteAlert,
        Worker,
        *statistics.MODELS,
    }
    theirs = [model for model in MODELS if model not in of_nobody]
    assert all(model.select().exists() for model in theirs), "a row in every table, or this says nothing"
    User.delete().execute()
    assert not any(model.select().exists() for model in theirs)


def test_migrating_twice_does_nothing(url):
    assert migrate()
    before = _schema()
    assert migrate() == []
    assert _schema() == before


def test_rollback_restores_the_schema(url):
    runner, before = Runner(database.obj, str(MIGRATIONS)), {}
    for migration in runner.status():
        before[migration.name] = _schema()
        runner.up(migration.name)
    for name, schema in reversed(before.items()):
        runner.down(name)
        assert _schema() == schema, name


def test_two_processes_may_migrate_at_once(url, tmp_path):
    env = {"PATH": str(BIN), "DATA_DIR": str(tmp_path), "DATABASE_URL": url, "SECRET_KEY": "secret of a test"}
    command = [BIN / "flask", "--app", "webapp.wsgi", "migrate"]
    both = [subprocess.Popen(command, cwd=ROOT, env=env, stdout=-1, stderr=-1, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Applied" in out for out, _ in said) == 1, "one applies, the other finds nothing to do"
    assert _tables() <= set(database.get_tables())
    assert _difference() == []


def test_a_failed_migration_leaves_nothing_half_done(url):
    def fail():
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        migrate(fail)
    assert not _tables() & set(database.get_tables())
    assert migrate()


def test_migrating_begins_anew_where_others_lock_tables_in_another_order(postgres_url):
    """A message that is sent meanwhile writes its notification first, and then starts the task that mails it."""
    configure(postgres_url)
    migrations().up("0020_defaults")
    database.close()
    migrating = threading.Thread(target=_migrate_and_close)
    with psycopg.connect(postgres_url) as other, psycopg.connect(postgres_url, autocommit=True) as watcher:
        other.execute("SET deadlock_timeout = '1min'")  # so it is the migration that is aborted
        other.execute("LOCK TABLE notices IN ROW EXCLUSIVE MODE")
        migrating.start()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'notices'::regclass"
        until(lambda: watcher.execute(waits).fetchone())
        other.execute("LOCK TABLE tasks IN ROW SHARE MODE")
    migrating.join()
    assert migrate() == [], "all has been applied"
    database.close()


def _migrate_and_close() -> None:
    migrate()
    database.close()


def test_sqlite_is_ready_for_web_and_worker_at_once(app):
    assert isinstance(database.obj, SqliteDatabase)
    assert database.execute_sql("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute_sql("PRAGMA foreign_keys").fetchone() == (1,)


def test_transaction_that_reads_then_writes_survives_a_write_in_between(app):
    user = make_user()

    def write():
        with database.connection_context():
            User.update(about="theirs").where(User.id == user.id).execute()

    other = threading.Thread(target=write)
    with database.atomic():
        assert User.get_by_id(user.id).about == ""
        other.start()
        other.join(0.3)  # on SQLite it waits for us; if it did not, our own write would now be refused
        User.update(about="ours").where(User.id == user.id).execute()
    other.join()
    assert User.get_by_id(user.id).about == "theirs"
