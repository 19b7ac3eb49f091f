"""URLs of the services that a site uses, read from the environment and checked without connecting."""

import re
from urllib.parse import urlsplit

from webapp.lib.environment import Reader

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOST = re.compile(r"[\w.:-]{1,253}", re.ASCII)
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")

# Drivers are imported where they are needed: they take long to load, and most starts on one machine do without.


def hostname(url: str) -> str:
    """The host in a URL, in lower case; "" if it has none."""
    return urlsplit(url).hostname or ""


def read_database_url(read: Reader) -> str:
    """DATABASE_URL, whose options libpq knows, or which names a file of SQLite's; "" if it is not set."""
    url = read.address("DATABASE_URL", DATABASE_SCHEMES)
    if url.startswith("sqlite") and (not url.startswith("sqlite:///") or not urlsplit(url).path.strip("/")):
        # SQLite would give each connection an empty database of its own.
        read.problem("DATABASE_URL", "names no file: write sqlite:///relative/path.db or sqlite:////absolute/path.db")
    if url.startswith("postgres"):
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            conninfo_to_dict(url)
        except psycopg.Error as error:
            what = str(error).partition(":")[0]  # the password may stand behind it
            read.problem("DATABASE_URL", f"is not a valid PostgreSQL address: {what}")
    return url


def read_redis_url(read: Reader) -> str | None:
    """REDIS_URL, whose options redis-py knows; None if it is not set."""
    url = read.address("REDIS_URL", ("redis", "rediss"))
    if url.startswith("rediss://") and "ssl_cert_reqs" not in url and read.text("DYNO"):
        # Heroku's Redis has a self-signed certificate: the connection is encrypted, the name cannot be verified.
        url += ("&" if "?" in url else "?") + "ssl_cert_reqs=none"
    if url:
        from redis import Connection, RedisError, SSLConnection
        from redis.connection import parse_url

        try:
            options = parse_url(url)  # type: ignore[no-untyped-call]
            options.pop("connection_class", None)
            (SSLConnection if url.startswith("rediss") else Connection)(**options)  # connects to nothing
        except (TypeError, ValueError, RedisError):  # which may repeat the password
            read.problem("REDIS_URL", "has options after its ? that Redis clients do not know")
    return url or None
