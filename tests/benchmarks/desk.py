"""What the desk costs with a million tasks, beside one with a thousand; and what it costs a claim."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from statistics import median, quantiles

from flask import Flask

from tasks.engine.models.kind_control import KindControl
from tests.benchmarks.desk_rows import HELD, THEN
from tests.benchmarks.filling import HOG_A, LARGE, NOWHERE, SMALL, Size, fill, person
from tests.benchmarks.growth import cpu, enter
from tests.benchmarks.sites import storage
from tests.benchmarks.table import show
from tests.browsing import Browser, browse
from tests.services import postgres_server
from webapp.app import create_app
from webapp.dev.desk_factories import make_staff
from webapp.lib.times import utcnow
from webapp.models import FailureGroup, State, Task, Worker
from webapp.models.permissions import Role
from webapp.settings import Settings
from webapp.storage import use_database
from webapp.web.routes.metrics import EXTENSION

LIMIT = 0.150  # seconds, p95
TURNS, AT_ONCE = 5, 4
CLAIMS = 40
TOKEN = "token-of-the-benchmark"
Ask = Callable[[], None]
TABLES = frozenset({"users", "tasks", "task_events"})
PAGES = (
    *(f"/desk?range={length}" for length in ("1h", "24h", "7d", "30d")),
    "/desk/tasks",
    *(f"/desk/tasks?state={state}" for state in ("pending", "in_progress", "failed", "active", "finished")),
    "/desk/tasks?kind=export_posts",
    "/desk/tasks?kind=export_posts&state=failed",
    "/desk/tasks?owner={hog}",
    "/desk/tasks?owner={hog}&state=failed",
    f"/desk/tasks?q={NOWHERE}",
    "/desk/tasks?worker={worker}",
    "/desk/tasks?fingerprint={group}",
    "/desk/tasks?rescued=1",
    "/desk/tasks?internal=1&children=1",
    "/desk/tasks?arg.seconds=7",
    "/desk/tasks/{task}",
    *(f"/desk/kinds?range={length}" for length in ("1h", "24h", "7d")),
    "/desk/kinds/countdown",
    "/desk/failures",
    "/desk/failures?window=24h&order=count",
    "/desk/failures/{group}",
    "/desk/workers",
    "/desk/people",
    "/desk/people?show=busiest",
    "/desk/people?q=p",
    "/desk/people/{hog_id}",
    "/desk/reports",
    "/desk/schedule",
    "/desk/schedule?kind=countdown",
    "/desk/schedule?owner={hog}",
    "/desk/audit",
    "/desk/system",
)
POLLS = ("/desk/_overview", "/desk/tasks/_list", "/desk/workers/_list")


class Site:
    """One with so many tasks, as its admin sees it."""

    def __init__(self, env: dict[str, str], size: Size) -> None:
        self.settings = Settings.from_env(env)
        use_database(self.settings)
        fill(size, TABLES, THEN)
        self.app: Flask = create_app(self.settings)
        self.browser = browse(self.app, make_staff(Role.ADMIN))
        hog, group = person(HOG_A), FailureGroup.select().order_by(FailureGroup.fingerprint).get()
        names = {"hog": HOG_A, "hog_id": hog.id, "group": group.fingerprint, "worker": Worker.get().token}
        names["task"] = Task.select(Task.id).where(Task.user == hog).get().id
        asked = [page.format(**names) for page in PAGES]
        self.pages = [self.browser.get(page).headers.get("Location", page) for page in asked]  # as it is said shortest

    def enter(self) -> None:
        """Point this process at it."""
        enter((self.settings, self.app))


def main() -> None:
    """Two tables for each database: its pages, and its claims."""
    for name in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            try:
                new = stack.enter_context(postgres_server()) if name == "PostgreSQL" else None
            except (AssertionError, OSError) as error:
                print(f"{name} does not start here, and was not measured: {error}")
                continue
            begun = time.perf_counter()
            envs = [stack.enter_context(storage(METRICS_TOKEN=TOKEN, **_at(new))) for _ in range(2)]
            sites = [Site(env, size) for env, size in zip(envs, (SMALL, LARGE), strict=True)]
            gc.freeze()  # as gunicorn.conf.py does: what is loaded is no web process's garbage to look through
            print(f"Filled in {time.perf_counter() - begun:.0f} s", flush=True)
            head = ("", "p50", "p95", "p95 of the limit", "CPU", "a million : a thousand, by CPU")
            show(f"The desk of a million tasks ({name}, limit {1000 * LIMIT:.0f} ms)", head, _pages(sites))
            show(f"The claim while half a million wait ({name})", ("", "p50", "p95", "CPU"), _claims(sites))


def _at(new: Callable[[], str] | None) -> dict[str, str]:
    return {"DATABASE_URL": new()} if new else {}


def _pages(sites: list[Site]) -> Iterator[tuple[str, ...]]:
    for words, asking in [*_views(sites), *_polls(sites), ("`/metrics`", [_metrics(site) for site in sites])]:
        walls, took = _in_turns(sites, asking)
        half, most = _quantiles(walls)
        small, large = map(median, took)
        wall = f"{1000 * half:.0f} ms", f"{1000 * most:.0f} ms", f"{most / LIMIT:.2f}"
        yield words, *wall, f"{1000 * large:.0f} ms", f"{large / small:.2f}"


def _views(sites: list[Site]) -> Iterator[tuple[str, list[Ask]]]:
    for page, *paths in zip(PAGES, *(site.pages for site in sites), strict=True):
        yield f"`{page}`", [_get(site.browser, path) for site, path in zip(sites, paths, strict=True)]


def _polls(sites: list[Site]) -> Iterator[tuple[str, list[Ask]]]:
    for path in POLLS:
        yield f"`{path}`, 304", [_unchanged(site, path) for site in sites]


def _get(browser: Browser, path: str, **headers: str) -> Ask:
    def ask() -> None:
        answer = browser.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status_code)

    return ask


def _unchanged(site: Site, path: str) -> Ask:
    site.enter()
    htmx = {"HX-Request": "true"}
    known = {"If-None-Match": site.browser.get(path, headers=htmx).headers["ETag"]}

    def ask() -> None:
        answer = site.browser.get(path, headers=htmx | known)
        if answer.status_code == 200:  # the line has waited for a minute more
            known["If-None-Match"] = answer.headers["ETag"]
            answer = site.browser.get(path, headers=htmx | known)
        assert answer.status_code == 304, (path, answer.status_code)

    return ask


def _metrics(site: Site) -> Ask:
    get = _get(site.browser, "/metrics", Authorization=f"Bearer {TOKEN}")

    def ask() -> None:
        site.app.extensions.pop(EXTENSION, None)  # which keeps the answer for a moment
        get()

    return ask


def _in_turns(sites: list[Site], asking: list[Ask]) -> tuple[list[float], list[list[float]]]:
    """How long each answer of the large site took, and the CPU seconds of both."""
    walls, took = list[float](), [list[float](), list[float]()]
    for _ in range(TURNS):
        for site, ask, seconds in zip(sites, asking, took, strict=True):
            site.enter()
            ask()  # what is compiled once for each database
            for _ in range(AT_ONCE):
                begun, used = time.perf_counter(), cpu()
                ask()
                seconds.append(cpu() - used)
                if site is sites[1]:
                    walls.append(time.perf_counter() - begun)
    return walls, took


def _quantiles(walls: list[float]) -> tuple[float, float]:
    cuts = quantiles(walls, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _claims(sites: list[Site]) -> Iterator[tuple[str, ...]]:
    """Each takes tasks that wait, and ends them."""
    sites[1].enter()
    yield "nothing is decided of any kind", *_claim()
    KindControl.limit("send_mail", per_person=5)
    yield "another kind is limited", *_claim()
    KindControl.pause(HELD, utcnow() + timedelta(hours=1))
    yield f"`{HELD}` is paused, at the head of the line", *_claim(but=HELD)


def _claim(but: str = "") -> Iterator[str]:
    walls, took = list[float](), list[float]()
    for _ in range(CLAIMS):
        begun, used = time.perf_counter(), cpu()
        task = Task.claim(timedelta(minutes=1))
        walls.append(time.perf_counter() - begun)
        took.append(cpu() - used)
        assert task is not None
        assert task.name != but
        assert task.state == State.IN_PROGRESS
        task.succeed()
    return (f"{1000 * seconds:.2f} ms" for seconds in (*_quantiles(walls), median(took)))
