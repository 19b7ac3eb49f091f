"""What programs ask for most, beside a bare Flask view, and with a million tasks beside a thousand."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.benchmarks.filling import HOG_A, HOG_B, LARGE, READER, SMALL, Size, fill, person
from tests.benchmarks.growth import cpu, enter
from tests.benchmarks.live import OLD, server_of
from tests.benchmarks.sites import storage
from tests.benchmarks.table import ROUNDS, show
from tests.services import postgres_server
from webapp.app import create_app
from webapp.lib.times import exact_iso, utcnow
from webapp.models import Notification, Task, User
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope
from webapp.settings import Settings
from webapp.storage import use_database

TURNS, AT_ONCE = 7, 7
PAGE = 50
TABLES = frozenset({"users", "tasks", "task_events", "notifications"})
ROOT = "/api/v1"
NEW = b'{"kind": "countdown", "arguments": {"seconds": 60}}'


@dataclass(frozen=True)
class Asked:
    """A request, and the status of its answer."""

    words: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes = b""


class Site:
    """One with so many tasks. Each heavy person has 100,000 of a million, and 300 of some hundreds."""

    def __init__(self, env: dict[str, str], size: Size) -> None:
        self.env, self.settings = env, Settings.from_env(env)
        use_database(self.settings)
        fill(size, TABLES)
        User.update(password_hash="!").execute()  # as who has none is a guest
        self.app: Flask = create_app(self.settings)

    def enter(self) -> None:
        """Point this process at it."""
        enter((self.settings, self.app))

    def asked(self, name: str, starting: str) -> list[Asked]:
        """What somebody's program asks for; the last is a POST, by which another one may start tasks."""
        user, token, other = person(name), self._token(name), self._token(starting)
        task = Task.of(user).first().id
        newest = Notification.select(Notification.updated_at).where(Notification.user == user)
        news = newest.order_by(Notification.updated_at.desc(), Notification.id.desc()).offset(PAGE - 1).get().updated_at
        feed = f"{ROOT}/notifications?since={exact_iso(utcnow())}"
        since = f"{ROOT}/notifications?since={exact_iso(news)}"
        etag = FlaskClient(self.app, self.app.response_class).get(feed, headers=token).headers["ETag"]
        return [
            Asked("GET of a task", f"{ROOT}/tasks/{task}", 200, token),
            Asked("GET of 50 tasks", f"{ROOT}/tasks", 200, token),
            Asked("the unchanged feed, 304", feed, 304, token | {"If-None-Match": etag}),
            Asked("the feed with 50 news", since, 200, token | {"If-None-Match": OLD}),
            Asked("POST of a task", f"{ROOT}/tasks", 201, other | {"Content-Type": "application/json"}, NEW),
        ]

    def _token(self, name: str) -> dict[str, str]:
        until = utcnow() + timedelta(days=30)
        _, text = ApiToken.issue(person(name), "bench", {Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.MESSAGES}, until)
        return {"Authorization": f"Bearer {text}"}


def main() -> None:
    """For each database: under gunicorn with a thousand tasks, and the ratio to a million by CPU time."""
    rows: list[tuple[str, ...]] = []
    for database in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            try:
                urls = _urls(database, stack)
            except (AssertionError, OSError) as error:
                print(f"{database} does not start here, and was not measured: {error}")
                continue
            small, large = (
                Site(stack.enter_context(storage(**variables)), size)
                for variables, size in zip(urls, (SMALL, LARGE), strict=True)
            )
            ratios = [list(_ratios([small, large], name)) for name in (READER, HOG_A)]
            small.enter()
            for (words, *figures), *grown in zip(_loads(small), *ratios, strict=True):
                rows.append((f"{database}: {words}", *figures, *grown))
    own = f"own: {LARGE.heavy:,} : {SMALL.heavy}"
    head = (
        "",
        "requests/s",
        "p99",
        "of the limit",
        "µs of web CPU",
        "of the limit by CPU",
        "a million : a thousand",
        own,
    )
    show("The API beside a bare Flask view, under the same gunicorn", head, rows)


def _urls(database: str, stack: ExitStack) -> list[dict[str, str]]:
    """What the environments of two sites say of their databases."""
    if database == "SQLite":
        return [{}, {}]
    new_database = stack.enter_context(postgres_server())
    return [{"DATABASE_URL": new_database()} for _ in range(2)]


def _loads(site: Site) -> Iterator[tuple[str, ...]]:
    asked = [Asked("bare view, 204", "/live", 204, {}), *site.asked(READER, starting=HOG_B)]
    with server_of("tests.benchmarks.bare:app", site.env) as bare, server_of("webapp.wsgi:app", site.env) as ours:
        servers = [bare, *[ours] * (len(asked) - 1)]
        rounds = [
            [server.load(a.headers, a.status, a.path, a.body) for a, server in zip(asked, servers, strict=True)]
            for _ in range(ROUNDS)
        ]
    for one, loads in zip(asked, zip(*rounds, strict=True), strict=True):
        limits = [limit for limit, *_ in rounds]
        by_rate = median(load.rate / limit.rate for (load, _), (limit, _) in zip(loads, limits, strict=True))
        by_cpu = median(limit / cpu for (_, cpu), (_, limit) in zip(loads, limits, strict=True))
        rate, p99 = median(load.rate for load, _ in loads), median(load.p99 for load, _ in loads)
        took = median(cpu for _, cpu in loads) * 1e6
        yield one.words, f"{rate:.0f}", f"{p99 * 1000:.1f} ms", f"{by_rate:.3f}", f"{took:.0f}", f"{by_cpu:.3f}"


def _ratios(sites: list[Site], name: str) -> Iterator[str]:
    """How much CPU time each request takes the large site, the database's included, beside the small one."""
    asked = []
    for site in sites:
        site.enter()
        asked.append(site.asked(name, starting=name))
    yield ""  # of the bare view
    for same in zip(*asked, strict=True):
        taken: list[list[float]] = [[], []]
        for _ in range(TURNS):
            for site, one, seconds in zip(sites, same, taken, strict=True):
                site.enter()
                _seconds(site, one)  # what is compiled once for each database
                seconds.extend(_seconds(site, one) for _ in range(AT_ONCE))
        small, large = map(median, taken)
        yield f"{large / small:.2f}"


def _seconds(site: Site, asked: Asked) -> float:
    client: Any = FlaskClient(site.app, site.app.response_class)
    begun = cpu()
    answer = client.open(
        asked.path, method="POST" if asked.body else "GET", headers=asked.headers, data=asked.body or None
    )
    assert answer.status_code == asked.status, (asked.path, answer.status_code, answer.text[:300])
    return cpu() - begun
