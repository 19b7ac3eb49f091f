"""Backups: a folder with all that a site is restored from, made whole or not at all.

The queue is not in it: workers find the waiting tasks in the database.
"""

import os
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from webapp.db.handle import database, is_postgres
from webapp.db.postgres import Postgres
from webapp.db.postgres_timeouts import CONNECT_OPTIONS

BATCH_SIZE = 1000  # pages
DUMP, KEY = "database.dump", "secret_key"


class CannotBackUp(Exception):
    """Why there is no backup, in words; nothing of it is left."""


def back_up(target: Path, data_dir: Path, secret_key: str, overwrite: bool = False) -> list[str]:
    """Copy the database, and the secret key if `data_dir` has it, into a new folder; returns the names of its files.

    It holds everything that was committed before, and nothing half done. Writers do not wait for it. Only the folder's
    owner can read it. With `overwrite`, it replaces another backup once it is complete.

    Raises CannotBackUp. Takes as much disk as the database, which it reads twice.
    """
    try:
        target = target.resolve()
        _demand_free(target, data_dir, overwrite)
        with _replacing(target) as folder:
            if isinstance(database.obj, Postgres):
                _dump(database.obj.server.url, folder / _file_name())
            else:
                _copy(Path(database.obj.database), folder / _file_name())
            key = data_dir / KEY
            if key.is_file() and key.read_text() == secret_key:
                _private(folder / KEY).write_text(secret_key)
            names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise CannotBackUp(f"{error.filename or target}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise CannotBackUp(f"SQLite says: {error}") from error
    return names


def dump_command(url: str, file: Path) -> tuple[list[str], dict[str, str]]:
    """The pg_dump command that copies the database at an address into a file, and its environment variables.

    Every user of the machine can read the command, so passwords go into the environment.
    """
    environment, parameters = {}, CONNECT_OPTIONS | {name: str(value) for name, value in conninfo_to_dict(url).items()}
    for option in pq.Conninfo.get_defaults():
        name = option.keyword.decode()
        if option.dispchar == b"*" and option.envvar and name in parameters:
            environment[option.envvar.decode()] = parameters.pop(name)
    return ["pg_dump", "--format=custom", f"--file={file}", f"--dbname={make_conninfo(**parameters)}"], environment


def _demand_free(target: Path, data_dir: Path, overwrite: bool) -> None:
    used = {data_dir.resolve()}
    if not is_postgres():
        used.add(Path(database.obj.database).resolve().parent)
    if any(target == folder or target in folder.parents for folder in used):
        raise CannotBackUp(f"{target} is where the site keeps its data: choose another folder")
    if not target.parent.is_dir():
        raise CannotBackUp(f"{target.parent} is not a folder: create it first")
    if not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir())):
        return
    if not overwrite:
        raise CannotBackUp(f"{target} already exists: choose another folder, or add --overwrite")
    if not target.is_dir() or not _is_backup(target):
        raise CannotBackUp(f"{target} is not a backup, so it was not overwritten")


def _is_backup(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} - {KEY} == {_file_name()}


def _file_name() -> str:
    """What the database is called in a backup: on SQLite as it is in its own folder."""
    return DUMP if is_postgres() else Path(database.obj.database).name


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A new folder, which is synced and renamed to `target` when the block ends, and deleted if that fails."""
    folder, before = (target.parent / f".{target.name}-{token_hex(4)}-{what}" for what in ("part", "before"))
    try:
        folder.mkdir(mode=0o700)
        yield folder
        for path in (*folder.iterdir(), folder):
            _to_disk(path)
        with suppress(FileNotFoundError):
            target.rename(before)
        folder.rename(target)
        _to_disk(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if before.exists() and not target.exists():
            before.rename(target)
        shutil.rmtree(before, ignore_errors=True)


def _to_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _private(path: Path) -> Path:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return path


def _copy(source: Path, file: Path) -> None:
    if not source.exists():
        raise CannotBackUp(f"there is no database yet at {source}")
    uri = f"file:{quote(str(source))}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db,
        closing(sqlite3.connect(_private(file), isolation_level=None)) as copy,
    ):
        # A snapshot of this moment, WAL included; without it, each write of others would restart the copy.
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        db.backup(copy, pages=BATCH_SIZE, progress=_interruptible)
        copy.execute("PRAGMA journal_mode = DELETE")  # so that it is one file
        [said] = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise CannotBackUp(f"the copy is damaged, and {source} may be, too: {said}")


def _interruptible(*_: object) -> None:
    """Do nothing, between two batches, where Python handles Ctrl-C."""


def _dump(url: str, file: Path) -> None:
    command, environment = dump_command(url, file)
    if not shutil.which(command[0]):
        told, _ = dump_command(url, Path(DUMP))
        secrets = "".join(f"{name}=… " for name in environment)
        raise CannotBackUp(f"pg_dump is not installed here. Where it is, run: {secrets}{shlex.join(told)}")
    _private(file)
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotBackUp(" ".join(done.stderr.split()) or f"pg_dump exited with {done.returncode}")
