"""The sites of these tests: one for each storage, shared by those of a file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.guarantees.servers import PostgresServer, RedisServer
from tests.guarantees.sites import Workshop
from webapp.models import User

STORAGES = ("sqlite", "sqlite and redis", "postgres and redis", "postgres")


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL that may be stopped and started again."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis():
    """A Redis that may be emptied, killed and started again."""
    server = RedisServer()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def new_site(request):
    """A function that makes a site on a storage; it is closed when the tests of a file are over. Its files are on a
    disk, where what is promised has to hold."""
    sites, folders = [], []

    def make(storage: str, **variables: str) -> Workshop:
        if "postgres" in storage:
            variables["DATABASE_URL"] = request.getfixturevalue("postgres").new_database()
        if "redis" in storage:
            redis = request.getfixturevalue("redis")
            redis.flush()
            variables["REDIS_URL"] = redis.url
        folders.append(TemporaryDirectory(prefix="site-"))
        sites.append(Workshop(Path(folders[-1].name), **variables))
        return sites[-1]

    yield make
    for site in sites:
        site.close()
    for folder in folders:
        folder.cleanup()


@pytest.fixture(scope="module", params=STORAGES)
def shared_site(request, new_site):
    site = new_site(request.param)
    yield site
    site.close()


@pytest.fixture
def site(shared_site):
    """A site on each storage in turn; this process is part of it, and its worker runs once it is asked for."""
    with shared_site.entered():
        yield shared_site


@pytest.fixture
def user(site) -> User:
    """Somebody who starts tasks."""
    return User.register_guest()
