"""How much of a bare Flask view's speed a poll has, on each database: one that finds nothing new, and one with news."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.cpu import children, cpu_seconds, family
from tests.benchmarks.guest import unchanged_poll
from tests.benchmarks.load import Load, run_load
from tests.benchmarks.sites import gunicorn, storage
from tests.benchmarks.table import ROUNDS, show
from tests.services import postgres_server

SECONDS = 2
OLD = 'W/"of an earlier state"'


def main() -> None:
    """Requests a second, p99, and web CPU: /live beside a bare view that answers 204."""
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
        ("", "requests/s", "p99", "of the limit", "µs of web CPU", "of the limit by CPU"),
        rows,
    )


def _rows(database: str, variables: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """The table's rows for one database."""
    with (
        storage(**variables) as env,
        server_of("tests.benchmarks.bare:app", env) as bare,
        server_of("webapp.wsgi:app", env) as ours,
    ):
        unchanged = unchanged_poll(ours.port)
        asked: tuple[tuple[str, Server, dict[str, str], int], ...] = (
            ("bare view, 204", bare, {}, 204),
            ("`/live`, 304, one query", ours, unchanged, 304),
            ("`/live` with news, 200", ours, unchanged | {"If-None-Match": OLD}, 200),
        )
        rounds = [[server.load(headers, status) for _, server, headers, status in asked] for _ in range(ROUNDS)]
    for (words, *_), loads in zip(asked, zip(*rounds, strict=True), strict=True):
        beside = list(zip(loads, (limit for limit, *_ in rounds), strict=True))
        by_rate = median(load.rate / limit.rate for (load, _), (limit, _) in beside)
        by_cpu = median(limit / cpu for (_, cpu), (_, limit) in beside)
        rate, p99 = median(load.rate for load, _ in loads), median(load.p99 for load, _ in loads)
        figures = (
            f"{rate:.0f}",
            f"{p99 * 1000:.1f} ms",
            f"{by_rate:.2f}",
            f"{median(cpu for _, cpu in loads) * 1e6:.0f}",
        )
        yield f"{database}: {words}", *figures, f"{by_cpu:.2f}"


@dataclass(frozen=True)
class Server:
    """A gunicorn, and the id of the process that has started the others."""

    port: int
    pid: int

    def load(self, headers: dict[str, str], status: int, path: str = "/live", body: bytes = b"") -> tuple[Load, float]:
        """A load on a path, and the seconds of CPU time that an answer took these processes."""
        pids = family(self.pid)
        begun = cpu_seconds(pids)
        load = run_load(self.port, path, headers, status, SECONDS, body=body)
        return load, (cpu_seconds(pids) - begun) / (load.rate * SECONDS)


@contextmanager
def server_of(app: str, env: dict[str, str]) -> Iterator[Server]:
    """A gunicorn with an app."""
    before = children()
    with gunicorn(app, env) as port:
        [pid] = children() - before
        yield Server(port, pid)


@contextmanager
def _variables(database: str) -> Iterator[dict[str, str]]:
    """What the environment says of a database, which is there meanwhile."""
    if database == "SQLite":
        yield {}
        return
    with postgres_server() as new_database:
        yield {"DATABASE_URL": new_database()}
