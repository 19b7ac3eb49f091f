"""What pages and polls cost with a million rows of each kind, beside a thousand: to everybody, and to heavy people."""

import time
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask

from tests.benchmarks.filling import (
    EVERYWHERE,
    HOG_A,
    HOG_B,
    LARGE,
    NOWHERE,
    OFTEN,
    RARE,
    READER,
    SMALL,
    Size,
    fill,
    person,
)
from tests.benchmarks.sites import storage
from tests.benchmarks.table import show
from tests.browsing import Browser, browse
from webapp.app import create_app
from webapp.db import database, is_postgres
from webapp.settings import Settings
from webapp.storage import use_database

TURNS, AT_ONCE = 5, 5
FLAT = 1.2
PAGES = (
    "/live",
    "/",
    "/people/{name}",
    "/tasks",
    "/tasks/_list",
    *(f"/tasks?state={state}" for state in ("waiting", "in_progress", "paused", "failed")),
    "/tasks?state=finished&until=2100-01-01",
    "/tasks?state=failed&until=2020-01-01",
    f"/tasks?q={NOWHERE}",
    f"/tasks?q={OFTEN}",
    f"/tasks?q={NOWHERE}&state=finished",
    "/tasks?name=send_mail",
    "/tasks?name=countdown",
    "/tasks?name=send_mail&state=waiting",
    "/notifications",
    "/notifications/_list",
    "/messages",
    "/messages/p1",
    *(f"{page}?q={word}" for page in ("/", "/messages") for word in (EVERYWHERE, OFTEN, RARE, NOWHERE)),
    "/mail",
    "/mail/_list",
    "/settings/storage",
    "/settings/storage?order=age",
)


def main() -> None:
    """On SQLite; `growth_postgres` is the same on PostgreSQL."""
    measure("SQLite")


def measure(name: str, small_url: str = "", large_url: str = "", pages: tuple[str, ...] = PAGES) -> None:
    """Fill two new sites, and ask each in turns for every page, in this process."""
    with storage(**_at(small_url)) as small, storage(**_at(large_url)) as large:
        sites = [_site(small, SMALL), _site(large, LARGE)]
        rows = [_row(sites, who, page) for page in pages for who in (READER, HOG_A, HOG_B)]
        enter(sites[1])
    title = f"Pages with {SMALL.people * SMALL.each:,} rows of each kind, and {LARGE.people * LARGE.each:,} ({name})"
    show(title, ("page", "who", "CPU of the small site", "of the large", "ratio", ""), rows)


def _at(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url} if url else {}


def _site(env: dict[str, str], size: Size) -> tuple[Settings, Flask]:
    settings = Settings.from_env(env)
    use_database(settings)
    begun = time.perf_counter()
    fill(size)
    print(f"Filled {Path(settings.database_url).name} in {time.perf_counter() - begun:.0f} s", flush=True)
    return settings, create_app(settings)


def enter(site: tuple[Settings, Flask]) -> None:
    database.close()
    use_database(site[0])


def _row(sites: list[tuple[Settings, Flask]], who: str, page: str) -> tuple[str, ...]:
    taken: list[list[float]] = [[], []]
    for _ in range(TURNS):
        for site, seconds in zip(sites, taken, strict=True):
            enter(site)
            browser = browse(site[1], person(who))
            seconds.extend(_request(browser, page.format(name=who)) for _ in range(AT_ONCE + 1))
            del seconds[-AT_ONCE - 1]  # what is compiled once for each database
    small, large = (1000 * median(seconds) for seconds in taken)
    ratio = large / small
    return page, who, f"{small:.1f} ms", f"{large:.1f} ms", f"{ratio:.2f}", "" if ratio <= FLAT else "grows"


def _request(browser: Browser, page: str) -> float:
    begun = cpu()
    answer: Any = browser.get(page, headers={"HX-Request": "true"})
    assert answer.status_code == 200, (page, answer.status_code)
    return cpu() - begun


def cpu() -> float:
    """Seconds of this process and, on PostgreSQL, of the server's process that works for it."""
    if not is_postgres():
        return time.process_time()
    pid = database.connection().info.backend_pid
    return time.process_time() + int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
