"""People who post now and then, in a process of their own: `python -m tests.benchmarks.posters`.

It ends as its standard input does, and prints how many seconds each post has waited, as JSON.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.processes import ROOT
from webapp.db import database
from webapp.models import Post, User
from webapp.settings import Settings
from webapp.storage import use_storage

PEOPLE = 2
PAUSE = 0.05  # seconds


@contextmanager
def posters(env: dict[str, str]) -> Iterator[list[float]]:
    """Let them post while the block lasts; the list has the seconds of each post afterwards."""
    waits = list[float]()
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        assert running.stdout.readline(), "they have not begun"
        yield waits
        running.stdin.close()
        waits += json.loads(running.stdout.read())


def _post(user: User, waits: list[float], stop: threading.Event) -> None:
    with database.connection_context():
        while not stop.wait(PAUSE):
            begun = time.perf_counter()
            Post.create(user=user, body="meanwhile")
            waits.append(time.perf_counter() - begun)


def main() -> None:
    """Post until standard input ends."""
    use_storage(Settings.from_env())
    waits, stop = list[float](), threading.Event()
    threads = [threading.Thread(target=_post, args=(User.register_guest(), waits, stop)) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    print("they post", flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(waits))


if __name__ == "__main__":
    main()
