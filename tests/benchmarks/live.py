"""How much of a bare Flask view's speed a poll has, on each database: one that finds nothing new, and one with news."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.cookiejar import CookieJar
from statistics import median
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from tests.benchmarks.load import Load, run_load
from tests.benchmarks.sites import gunicorn, storage
from tests.benchmarks.table import ROUNDS, show
from tests.services import postgres_server

SECONDS = 2
OLD = 'W/"of an earlier state"'


def main() -> None:
    """Requests a second and p99: /live beside a bare view that answers 204."""
    rows: list[tuple[str, ...]] = []
    for database in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            try:
                variables = stack.enter_context(_variables(database))
            except (AssertionError, OSError) as error:
                print(f"{database} does not start here, and was not measured: {error}")
                continue
            rows += _rows(database, variables)
    show(
        "`/live` beside a bare Flask view, under the same gunicorn",
        ("", "requests/s", "p99", "of the limit"),
        rows,
    )


def _rows(database: str, variables: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """The table's rows for one database."""
    with (
        storage(**variables) as env,
        gunicorn("tests.benchmarks.bare:app", env) as bare,
        gunicorn("webapp.wsgi:app", env) as ours,
    ):
        unchanged = _unchanged_poll(ours)
        asked = (
            ("bare view, 204", bare, {}, 204),
            ("`/live`, 304, one query", ours, unchanged, 304),
            ("`/live` with news, 200", ours, unchanged | {"If-None-Match": OLD}, 200),
        )
        rounds = [
            [run_load(port, "/live", headers, status, SECONDS) for _, port, headers, status in asked]
            for _ in range(ROUNDS)
        ]
    for (words, *_), loads in zip(asked, zip(*rounds, strict=True), strict=True):
        ratio = median(load.rate / limit.rate for load, (limit, *_) in zip(loads, rounds, strict=True))
        yield f"{database}: {words}", *_figures(loads), f"{ratio:.2f}"


@contextmanager
def _variables(database: str) -> Iterator[dict[str, str]]:
    """What the environment says of a database, which is there meanwhile."""
    if database == "SQLite":
        yield {}
        return
    with postgres_server() as new_database:
        yield {"DATABASE_URL": new_database()}


def _figures(loads: tuple[Load, ...]) -> tuple[str, str]:
    return f"{median(load.rate for load in loads):.0f}", f"{median(load.p99 for load in loads) * 1000:.1f} ms"


def _unchanged_poll(port: int) -> dict[str, str]:
    """The headers of the poll of a browser that came as a guest and has seen the present state."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    site = f"http://127.0.0.1:{port}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.open(site).read().decode())
    assert token
    browser.open(f"{site}/guest", urlencode({"csrf_token": token[1]}).encode())
    version = browser.open(f"{site}/live").headers["ETag"]
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    return {"Cookie": cookies, "If-None-Match": version, "HX-Request": "true"}
