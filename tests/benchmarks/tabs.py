"""How many open tabs the site holds, near and far, and whether it answers while clients drip; beside gthread."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from urllib.request import urlopen

from tests.benchmarks.guest import unchanged_poll
from tests.benchmarks.sites import gunicorn, storage
from tests.benchmarks.table import show
from tests.drips import KINDS, drips
from tests.processes import ROOT
from webapp.dev.factories import make_artifact, make_task
from webapp.models import State, User

SERVERS = {"ours": "", "gthread": "--worker-class gthread"}
CROWDS = ((10_000, 0.0), (10_000, 0.05))  # tabs, and seconds of a round trip
EVERY = 5.0  # seconds between the polls of a tab
WARM, SECONDS = 5, 6
LOADS = 2  # processes, as one may hold 20,000 files only
SLOW = 200  # clients
LOOK = 1.0  # seconds
GIVEN_UP = 4.0  # seconds


def main() -> None:
    """Kept connections by round trip, and what slow clients do to others; both servers take turns."""
    with storage() as env, ExitStack() as running:
        ports = {name: running.enter_context(gunicorn("webapp.wsgi:app", env, more)) for name, more in SERVERS.items()}
        headers = unchanged_poll(ports["ours"])
        show(
            f"Open tabs, each polling every {EVERY:.0f} s on a connection of its own",
            ("tabs", "round trip", "server", "answered", "p50", "p99", "opened again"),
            (_crowd(name, port, headers, *crowd) for crowd in CROWDS for name, port in ports.items()),
        )
        show(
            f"`/healthz` while {SLOW} clients are slow",
            ("clients that are", "server", "answered", "p50", "p99"),
            (_slow(name, port, headers, kind) for kind in KINDS for name, port in ports.items()),
        )


def _crowd(server: str, port: int, headers: dict[str, str], tabs: int, round_trip: float) -> tuple[str, ...]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n"
    given = {"port": port, "every": EVERY, "round_trip": round_trip, "request": request, "tabs": tabs // LOADS}
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.tabs_load",
        json.dumps(given | {"warm": WARM, "seconds": SECONDS}),
    ]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(LOADS)]
    seen = [json.loads(process.communicate()[0]) for process in running]
    times = sorted(time for each in seen for time in each["times"])
    due, connects = (sum(each[name] for each in seen) for name in ("due", "connects"))
    return f"{tabs:,}", f"{1000 * round_trip:.0f} ms", server, *_figures(times, due), f"{connects - tabs:,}"


def _slow(server: str, port: int, headers: dict[str, str], kind: str) -> tuple[str, ...]:
    user = User.select().order_by(User.id).get()
    artifact = make_artifact(make_task(State.SUCCEEDED, user), "large.bin", bytes(10_000_000))
    times: list[float] = []
    asked = 0
    with drips(port, kind, SLOW, f"/artifacts/{artifact.id}", headers["Cookie"]) as slow, _dripping(slow.drip):
        end = time.perf_counter() + LOOK
        while time.perf_counter() < end:
            asked += 1
            begun = time.perf_counter()
            try:
                with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=GIVEN_UP) as answer:
                    assert answer.read() == b"ok\n"
            except OSError:
                continue
            times.append(time.perf_counter() - begun)
    return kind, server, *_figures(sorted(times), asked)


@contextmanager
def _dripping(drip: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.2):
            drip()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _figures(times: list[float], due: int) -> tuple[str, str, str]:
    answered = f"{100 * len(times) / max(due, 1):.0f} %"
    if not times:
        return answered, "-", "-"
    return answered, f"{1000 * median(times):.0f} ms", f"{1000 * times[int(0.99 * len(times))]:.0f} ms"
