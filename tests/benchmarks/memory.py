"""What web and worker have in memory after minutes of polls, pages and tasks, beside what they had after the first.

`make bench ARGS=memory SOAK_MINUTES=30` soaks for so long; by itself it is a minute and a half. With `SOAK_REST=3`
polls and tasks rest for so many seconds after each round, so that a long soak leaves the machine to others.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from urllib.request import Request, urlopen

import psutil

from tasks.count_words import count_words
from tasks.engine import Upload
from tasks.export_posts import export_posts
from tasks.import_posts import import_posts
from tests.benchmarks.guest import unchanged_poll
from tests.benchmarks.load import run_load
from tests.benchmarks.sites import gunicorn, storage, worker
from tests.benchmarks.table import show
from tests.processes import until
from webapp.models import Task, User

MINUTES = float(os.environ.get("SOAK_MINUTES", "1.5"))
REST = float(os.environ.get("SOAK_REST", "0"))  # seconds
MARKS = 1 / 15, 1 / 3, 2 / 3, 1  # of the soak: minutes 2, 10, 20 and 30 of thirty
WARM_UP = 20  # seconds: everything has been done a few times, and is loaded
PATIENCE = 60
CONNECTIONS = 4
TEXT = "body\n" + "".join(f"post {number} of a soak\n" for number in range(2000))
LOOK_EVERY = 0.5  # seconds
GROUPS = {"web": "webapp.wsgi:app", "worker": "tasks.worker"}  # by what stands in their command lines


def main() -> None:
    """One row for the web and one for the worker, with all their processes; who was replaced counts by its place."""
    sizes: dict[str, list[tuple[float, int]]] = {name: [] for name in GROUPS}
    with storage() as env, gunicorn("webapp.wsgi:app", env) as port, worker("tasks.worker", env):
        done, stop = [0, 0], threading.Event()
        others = [threading.Thread(target=each, args=(stop,)) for each in (_polling(port, done), _looking(sizes))]
        begun = time.monotonic()
        for other in others:
            other.start()
        try:
            while time.monotonic() < begun + WARM_UP + MINUTES * 60:
                done[1] += _some_tasks()
                time.sleep(REST)
        finally:
            stop.set()
            for other in others:
                other.join()
    show(
        f"Memory after {MINUTES:g} minutes ({done[0]:,} polls and pages, {done[1]:,} tasks)",
        ("all processes", *(f"minute {mark * MINUTES:.1f}" for mark in MARKS), "at most", "the end of the beginning"),
        [_row(name, seen, begun + WARM_UP) for name, seen in sizes.items()],
    )


def _some_tasks() -> int:
    user = User.register_guest()
    tasks = [
        import_posts.launch(user, file=Upload("posts.csv", TEXT.encode())),
        count_words.launch(user, file=Upload("text.txt", (TEXT * 10).encode())),
    ]
    _wait_for(tasks)
    export = export_posts.launch(user)
    _wait_for([export])
    return len(tasks) + 1


def _wait_for(tasks: list[Task]) -> None:
    until(lambda: all(task.reload().is_finished for task in tasks), PATIENCE)


def _polling(port: int, done: list[int]) -> Callable[[threading.Event], None]:
    """Polls that find nothing new, and the home page now and then, by somebody who has no tasks."""
    headers = unchanged_poll(port)
    page = Request(f"http://127.0.0.1:{port}/", headers={"Cookie": headers["Cookie"]})

    def poll(stop: threading.Event) -> None:
        while not stop.wait(0.2 + REST):
            done[0] += int(run_load(port, "/live", headers, 304, 0.3, CONNECTIONS).rate * 0.3) + 1
            with urlopen(page) as answer:
                answer.read()

    return poll


def _looking(sizes: dict[str, list[tuple[float, int]]]) -> Callable[[threading.Event], None]:
    def look(stop: threading.Event) -> None:
        while not stop.wait(LOOK_EVERY):
            for name, mark in GROUPS.items():
                sizes[name].append((time.monotonic(), sum(map(_size, _family(mark)))))

    return look


def _family(mark: str) -> list[psutil.Process]:
    """All processes of a group that this one has started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if mark in " ".join(child.cmdline()):
                found.append(child)
    return found


def _size(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _row(name: str, seen: list[tuple[float, int]], warm_at: float) -> tuple[str, ...]:
    """Medians of what was seen before each mark, as a collection of garbage comes and goes."""
    ends = [warm_at + mark * MINUTES * 60 for mark in MARKS]
    span = MARKS[0] * MINUTES * 60
    at_marks = [median(size for at, size in seen if end - span <= at <= end) for end in ends]
    most = max(size for at, size in seen if at >= warm_at)
    return (name, *(f"{size / 1024**2:.0f} MB" for size in (*at_marks, most)), f"{at_marks[-1] / at_marks[0]:.2f}")
