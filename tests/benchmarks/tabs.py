"""How many open tabs the site holds, near and far, and whether it answers while clients are slow; beside gthread."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from urllib.request import urlopen

import psutil

from tests.benchmarks.guest import unchanged_poll
from tests.benchmarks.sites import gunicorn, storage
from tests.benchmarks.table import show
from tests.drips import KINDS, drips
from tests.processes import ROOT
from webapp.dev.factories import make_artifact, make_task
from webapp.models import State, User

# gthread gets a second to end, as it would take its time with what has dripped.
SERVERS = {"ours": "", "gthread": "--worker-class gthread --graceful-timeout 1"}
TABS = int(os.environ.get("TABS", "10000"))
ROUND_TRIPS = 0.0, 0.05  # seconds
EVERY = 5.0  # seconds between the polls of a tab
WARM, SECONDS = 8, 6
LOADS = 2  # processes, as one may hold 20,000 files only
SLOW = 200  # clients
LOOK = 2.0  # seconds
GIVEN_UP = 4.0  # seconds


def main() -> None:
    """Kept connections by round trip, and what slow clients do to others. Each row of gthread has a site of its own, as
    it does not recover in time for the next."""
    with storage() as env:
        show(
            f"{TABS:,} open tabs, each polling every {EVERY:.0f} s on a connection of its own",
            (
                "round trip",
                "server",
                "answered",
                "p50",
                "p99",
                "opened again",
                "CPU, of a core",
                "processes hold",
                "memory a connection",
            ),
            (_crowd(env, server, round_trip) for round_trip in ROUND_TRIPS for server in SERVERS),
        )
        show(
            f"`/healthz` while {SLOW} clients are slow",
            ("clients that are", "server", "answered", "p50", "p99"),
            (_slow(env, server, kind) for kind in KINDS for server in SERVERS),
        )


@contextmanager
def _server(name: str, env: dict[str, str]) -> Iterator[tuple[int, list[psutil.Process]]]:
    """The port of a server, and its processes that serve."""
    before = set(psutil.Process().children())
    with gunicorn("webapp.wsgi:app", env, SERVERS[name]) as port:
        [parent] = set(psutil.Process().children()) - before
        unchanged_poll(port)
        yield port, parent.children()


def _crowd(env: dict[str, str], server: str, round_trip: float) -> tuple[str, ...]:
    with _server(server, env) as (port, processes), ExitStack() as running:
        lines = "".join(f"{name}: {value}\r\n" for name, value in unchanged_poll(port).items())
        given = {
            "port": port,
            "every": EVERY,
            "round_trip": round_trip,
            "request": f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n",
            "tabs": TABS // LOADS,
            "warm": WARM,
            "seconds": SECONDS,
        }
        files, memory = _files(processes), _memory(processes)
        command = [sys.executable, "-m", "tests.benchmarks.tabs_load", json.dumps(given)]
        loads = [
            running.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)) for _ in range(LOADS)
        ]
        begun, cpu = _hear(loads), _cpu(processes)
        seconds = _hear(loads)[0]["at"] - begun[0]["at"]
        cpu, memory = _cpu(processes) - cpu, _memory(processes) - memory
        held = [after - before for after, before in zip(_files(processes), files, strict=True)]
        seen = _hear(loads)
    times = sorted(time for each in seen for time in each["times"])
    due, connects = (sum(each[name] for each in seen) for name in ("due", "connects"))
    return (
        f"{1000 * round_trip:.0f} ms",
        server,
        *_figures(times, due),
        f"{connects - TABS:,}",
        f"{100 * cpu / max(seconds, 1):.0f} %",
        " + ".join(f"{each:,}" for each in held),
        f"{memory / TABS / 1024:.1f} KB",
    )


def _hear(loads: list["subprocess.Popen[bytes]"]) -> list[dict[str, float]]:
    """What each says next."""
    return [json.loads(load.stdout.readline()) for load in loads if load.stdout]


def _files(processes: list[psutil.Process]) -> list[int]:
    return [process.num_fds() for process in processes]


def _memory(processes: list[psutil.Process]) -> int:
    return sum(process.memory_info().rss for process in processes)


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _slow(env: dict[str, str], server: str, kind: str) -> tuple[str, ...]:
    with _server(server, env) as (port, _):
        cookies = unchanged_poll(port)["Cookie"]
        user = User.select().order_by(User.id.desc()).get()
        artifact = make_artifact(make_task(State.SUCCEEDED, user), "large.bin", bytes(10_000_000))
        times: list[float] = []
        asked = 0
        with drips(port, kind, SLOW, f"/artifacts/{artifact.id}", cookies) as slow, _dripping(slow.drip):
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
    answered = f"{100 * len(times) / max(due, 1):.1f} %"
    if not times:
        return answered, "-", "-"
    return answered, f"{1000 * median(times):.0f} ms", f"{1000 * times[int(0.99 * len(times))]:.0f} ms"
