"""What a page costs a web process, and a poll that finds news, beside a bare Flask view under the same gunicorn."""

from collections.abc import Callable
from datetime import timedelta
from statistics import median

import psutil

from tasks.engine.models.state import FINISHED, State
from tests.benchmarks.guest import arrive
from tests.benchmarks.load import run_load
from tests.benchmarks.sites import gunicorn, storage
from tests.benchmarks.table import ROUNDS, show
from webapp.dev.factories import make_artifact, make_post, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Task, User

SECONDS = 1
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
}
HTMX = {**BROWSER, "Accept": "text/html", "HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/"}
POSTS = (
    "Rehearsal moved to Thursday, same room. Bring the new songs please!",
    "Die Probe am Donnerstag fällt leider aus, wir sehen uns nächste Woche wieder.",
    "Thank you all.",
)


def main() -> None:
    """CPU time of a worker for each request, of a guest with five alerts and of one who has closed all of theirs.

    Both see 20 posts of several people, and have 20 tasks.
    """
    with storage() as env, gunicorn("tests.benchmarks.bare:app", env) as bare, gunicorn("webapp.wsgi:app", env) as ours:
        pages: dict[str, tuple[str, dict[str, str]]] = {}
        for number, words in enumerate(("five alerts", "no alerts")):
            cookies = {"Cookie": arrive(ours)}
            guest = User.select().order_by(User.id.desc()).get()
            task = _fill(guest) if number == 0 else _fill_closed(guest)
            pages |= {
                f"home, 20 posts; {words}": ("/", BROWSER | cookies),
                f"task page; {words}": (f"/tasks/{task.id}", BROWSER | cookies),
                f"task list, 20 tasks; {words}": ("/tasks", BROWSER | cookies),
                f"`/live` with news; {words}": ("/live", HTMX | cookies),
            }
        rounds = [
            (
                _cost(bare, lambda: run_load(bare, "/live", {}, 204, SECONDS).rate),
                *(
                    _cost(ours, lambda: run_load(ours, path, headers, 200, SECONDS).rate)  # noqa: B023
                    for path, headers in pages.values()
                ),
            )
            for _ in range(ROUNDS)
        ]
    limit, *costs = zip(*rounds, strict=True)
    rows = [("bare view, 204", f"{median(limit) * 1e6:.0f} µs", "1")]
    for name, cost in zip(pages, costs, strict=True):
        ratio = median(bare / page for bare, page in zip(limit, cost, strict=True))
        rows.append((name, f"{median(cost) * 1e6:.0f} µs", f"{ratio:.3f}"))
    show("Pages beside a bare Flask view, under the same gunicorn", ("", "CPU a request", "of the limit"), rows)


def _cost(port: int, load: Callable[[], float]) -> float:
    """The CPU seconds of a site's processes for a request of a load, which returns its requests a second."""
    load()  # what is compiled once is compiled
    before = _cpu(port)
    rate = load()
    return (_cpu(port) - before) / (rate * SECONDS)


def _cpu(port: int) -> float:
    """The CPU seconds that the processes which listen on a port have used so far."""
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        if any(f":{port}" in part for part in process.environ().get("GUNICORN_CMD_ARGS", "").split()):
            times = process.cpu_times()
            used += times.user + times.system
    return used


def _fill(guest: User) -> Task:
    """Posts of several people, and tasks of the one who is here; returns one that has ended, with a file."""
    people = [guest, *(make_user(name) for name in ("ann", "bea", "cem", "dora"))]
    for number in range(20):
        at = utcnow() - timedelta(minutes=20 - number)
        make_post(people[number % len(people)], POSTS[number % len(POSTS)], created_at=at)
    states = [state for state in State if state != State.WAITING]
    return _tasks(guest, states)


def _fill_closed(guest: User) -> Task:
    """Tasks that have ended, whose alerts are closed; returns one of them, with a file."""
    return _tasks(guest, [State.SUCCEEDED, State.FAILED], dismissed_at=utcnow())


def _tasks(owner: User, states: list[State], **fields: object) -> Task:
    tasks = [make_task(states[n % len(states)], owner, title=f"Count down from {n}", **fields) for n in range(20)]
    for task in tasks:
        if task.state in FINISHED:
            make_artifact(task)
    return next(task for task in tasks if task.state == State.SUCCEEDED)
