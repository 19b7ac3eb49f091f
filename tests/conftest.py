"""What tests arrange with: an app on a database of its own, people with browsers, a worker, a mail server.

No test reads the developer's environment, and none skips in CI.
"""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import flask
import pytest
from playhouse.test_utils import count_queries

from tasks.engine import config, executor, registry, user_task
from tasks.queue import huey
from tests.apps import CompiledQueries, CompiledTemplates, QuickMap
from tests.browsing import Browser, browse
from tests.log_lines import Lines
from tests.mailserver import MailServer
from tests.memory import folder_in_memory
from tests.services import SharedPostgres, postgres_server, redis_server
from webapp import db
from webapp.app import create_app
from webapp.db import compiled_query
from webapp.dev.factories import make_user
from webapp.lib import logs
from webapp.lib.quota_variables import GUEST, UNLIMITED, Most, Quota
from webapp.models import passwords, quotas, recovery_code
from webapp.settings import Settings
from webapp.storage import use_storage

DATABASE_FILE = "errand.db"
LONGEST_FILES = {"test_demo.py", "test_page_costs.py", "test_request_guard.py"}

_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT", "BASE_URL", "DATA_DIR", "ALLOW_GUESTS", "LOG_LEVEL")
_OURS += ("APP_NAME", "ADMINS", "SENTRY_DSN", "DYNO", "KUBERNETES_SERVICE_HOST")
_OUR_PREFIXES = ("MAIL_", "GUNICORN_", "FLASK_", "LOG_", "QUOTA_", f"{GUEST}QUOTA_", "TASK_", "TRUSTED_")
for _name in list(os.environ):
    if _name in _OURS or _name.startswith(_OUR_PREFIXES):
        del os.environ[_name]

# On a disk, each write of each test would wait for it; no test cuts the power. What a test leaves goes with the test.
if _folder := folder_in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, each of which one process runs: the others would wait for it in the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST_FILES)


def pytest_collection_finish() -> None:
    """Spare each full garbage collection the thousands of tests, and collect no more often than memory demands."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


# Storage


def cannot_run(reason: str) -> None:
    """Skip a test that this machine cannot run; in CI, which has everything, fail it."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"in CI nothing is skipped: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def _postgres():
    with postgres_server() as new_database:
        yield new_database


@pytest.fixture(scope="session")
def _redis():
    numbers = count()
    with redis_server() as url:
        yield lambda: f"{url}/{next(numbers)}"


@pytest.fixture(scope="session")
def new_storage(request) -> Callable[[str], str]:
    """A function of `postgres_url` or `redis_url` that returns the URL of a new, empty database."""

    def new(name: str) -> str:
        try:
            make = request.getfixturevalue(f"_{name.removesuffix('_url')}")
        except (AssertionError, OSError) as error:
            cannot_run(f"{name.removesuffix('_url')} does not start here: {error}")
        return make()

    return new


@pytest.fixture
def postgres_url(new_storage) -> str:
    """The URL of a new, empty PostgreSQL database."""
    return new_storage("postgres_url")


@pytest.fixture
def redis_url(new_storage) -> str:
    """The URL of an empty Redis database that no other test has."""
    return new_storage("redis_url")


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory) -> Path:
    """A folder with a database and a queue on SQLite, migrated and empty, to be copied for each test."""
    folder = tmp_path_factory.mktemp("migrated")
    use_storage(Settings(secret_key="", data_dir=folder, database_url=f"sqlite:///{folder / DATABASE_FILE}"))
    db.migrate(huey.create_tables)
    db.database.close()
    huey.storage.close()
    return folder


@pytest.fixture(scope="session")
def _migrated_urls() -> dict[str, set[str]]:
    """The databases that apps of this process have migrated already, and the migrations that were applied then."""
    return {}


# The app


@pytest.fixture
def settings(request, tmp_path, _migrated) -> Settings:
    """The settings of a site on its own migrated SQLite file; it sends mail in tests that have a mail server."""
    for name in (DATABASE_FILE, "queue.db"):
        shutil.copyfile(_migrated / name, tmp_path / name)
    settings = Settings(
        secret_key="secret of a test", data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / DATABASE_FILE}",
        base_url="http://localhost", log_level="WARNING", quotas=UNLIMITED,
    )  # fmt: skip
    if "mailserver" in request.fixturenames:
        server = request.getfixturevalue("mailserver")
        return replace(settings, mail_server="127.0.0.1", mail_port=server.port)
    return settings


@pytest.fixture(scope="session")
def _compiled() -> Iterator[CompiledTemplates]:
    """What apps need not compile anew: doing so for each app takes longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flask.Flask, "url_map_class", QuickMap)
        yield CompiledTemplates()


@pytest.fixture(scope="session", autouse=True)
def _compiled_queries() -> Iterator[CompiledQueries]:
    with pytest.MonkeyPatch.context() as patch:
        queries = CompiledQueries()
        patch.setattr(compiled_query, "_compile", queries)
        yield queries


@pytest.fixture
def monkeypatch(monkeypatch, _compiled_queries) -> Iterator[pytest.MonkeyPatch]:
    """Pytest's. What a test replaces is in its compiled queries, and in those of no other."""
    _compiled_queries.is_shared = False
    yield monkeypatch
    _compiled_queries.is_shared = True


@pytest.fixture
def make_app(settings, configure, _compiled, _migrated_urls) -> Callable[..., flask.Flask]:
    """A function that makes the app, with some settings changed. The latest app has the process's database."""

    def make(**changes: object) -> flask.Flask:
        app = create_app(replace(settings, **changes))
        app.jinja_env.bytecode_cache = _compiled
        url = app.config["SETTINGS"].database_url
        is_copied = url == settings.database_url and (settings.data_dir / DATABASE_FILE).exists()
        if not is_copied and not (url in _migrated_urls and _migrated_urls[url] <= _applied()):
            db.migrate(huey.create_tables)  # the first time, and after a test has rolled back
            _migrated_urls[url] = _applied()
        configure(run_context=app.app_context)
        return app

    yield make
    if db.database.obj:
        db.database.close()
    if huey.storage:
        huey.storage.close()


def _applied() -> set[str]:
    return {name for (name,) in db.database.execute_sql("SELECT name FROM schema_migration").fetchall()}


@pytest.fixture
def app(make_app) -> flask.Flask:
    """The app, on a database of its own."""
    return make_app()


@pytest.fixture(params=["sqlite", "postgres"])
def each_database(request, make_app) -> flask.Flask:
    """The app, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return make_app()
    return make_app(database_url=request.getfixturevalue("emptied_postgres"))


@pytest.fixture
def emptied_postgres(_shared_postgres) -> str:
    """The URL of the PostgreSQL database that tests share, as good as new."""
    _shared_postgres.empty()
    return _shared_postgres.url


@pytest.fixture(scope="session")
def _shared_postgres(new_storage) -> Iterator[SharedPostgres]:
    """A database that is emptied for each test: making a new one would take longer than most tests."""
    with SharedPostgres(new_storage("postgres_url")) as shared:
        yield shared


# Logs


@pytest.fixture
def written(settings) -> Iterator[Callable[..., Lines]]:
    """A function that makes a list of the lines that are logged from then on, with these settings."""
    root, handlers, level = logging.getLogger(), [], logging.getLogger().level

    def written(log_format: str = "text", log_times: bool = True) -> Lines:
        lines = Lines()
        lines.setFormatter(logs.formatter(replace(settings, log_format=log_format, log_times=log_times)))
        handlers.append(lines)
        root.addHandler(lines)
        root.setLevel(logging.INFO)
        return lines

    yield written
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(level)


# People


@pytest.fixture(scope="session", autouse=True)
def costly_hashing() -> Iterator[str]:
    """How passwords are hashed but in this process, where there are hundreds: the method and its costs."""
    with pytest.MonkeyPatch.context() as patch:
        costly = passwords.HASHING
        patch.setattr(passwords, "HASHING", "scrypt:1024:8:1")
        patch.setattr(recovery_code, "COST", 2)
        yield costly


@pytest.fixture
def visitor(app) -> Browser:
    """The browser of somebody who is not signed in."""
    return browse(app)


@pytest.fixture
def ann(app) -> Browser:
    """Ann's browser; she is signed in, and `ann.user` is her account."""
    return browse(app, make_user("ann"))


@pytest.fixture
def bob(app) -> Browser:
    """Bob's browser; he is signed in, and `bob.user` is his account."""
    return browse(app, make_user("bob"))


# Work


@pytest.fixture
def run_tasks(app) -> Callable[[], int]:
    """A function that carries out all that is in the queue, as a worker would; returns how many messages there were."""

    def run() -> int:
        assert not flask.has_app_context(), "a worker has no request to lean on"
        done = 0
        while message := huey.dequeue():
            huey.execute(message)
            done += 1
        return done

    return run


@pytest.fixture
def run_waiting(app) -> Callable[[], None]:
    """The same for tests on each database: it does not ask the queue, which on PostgreSQL takes a second."""

    def run() -> None:
        while executor.execute_next():
            pass

    return run


@pytest.fixture
def declare(app) -> Callable:
    """`@user_task`, for functions that are forgotten after the test."""
    known = set(registry.functions)
    yield user_task
    for name in set(registry.functions) - known:
        del registry.functions[name]


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """`configure(lease=…)` replaces fields of the engine's configuration until the test ends.

    Making an app takes from its settings what they have, so ask for the app first.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "_config", config.config())
        yield config.configure


@pytest.fixture
def mailserver() -> MailServer:
    """A real SMTP server; the app of a test that has it sends by it. Each mail that it gets must be well formed."""
    with MailServer().running() as server:
        yield server
    assert server.faults == []


@pytest.fixture
def allow(monkeypatch) -> Callable[..., None]:
    """A function that sets a quota of the app: `allow(Quota.POSTS, 2)`, and a third number for guests."""

    def allow(quota: Quota, accounts: int | None, guests: int | None = None) -> None:
        monkeypatch.setattr(quotas, "_quotas", {**quotas._quotas, quota: Most(accounts, guests or accounts)})

    return allow


@pytest.fixture
def queries() -> type[count_queries]:
    """`with queries() as seen: …` counts what is asked of the database."""
    return count_queries
