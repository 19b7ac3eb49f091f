"""What deleting what is old costs others: how long each of its transactions keeps them from writing."""

import random
import threading
import time
from datetime import timedelta
from statistics import quantiles

from tasks.engine.config import config
from tasks.engine.models.artifact import CHUNK
from tasks.engine.retention import Purge
from tests.benchmarks.sites import storage
from tests.benchmarks.table import show
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, Notification, Task, TaskEvent, User

TASKS = 100_000
FILES, CHUNKS = 20, 40  # each file of 10 MB
AT_ONCE = 500  # rows


def main() -> None:
    """On SQLite, where whoever writes keeps everybody else from it, beside a person who writes all the time."""
    with storage():
        users = [User.register_guest() for _ in range(100)]
        for begin in range(0, TASKS, AT_ONCE):
            _fill(users, AT_ONCE, begin)
        _fill_files()
        waits, stop = list[float](), threading.Event()
        other = threading.Thread(target=_write, args=(users[0], waits, stop))
        other.start()
        took, begun = list[float](), time.perf_counter()
        purging = Purge()
        for _ in purging.steps():
            took.append(purging.took)
            purging.rest()
        seconds = time.perf_counter() - begun
        stop.set()
        other.join()
    show(
        f"Deleting {TASKS:,} old tasks, of which {FILES} have a file of {CHUNKS * CHUNK / 1024**2:.0f} MB (SQLite)",
        ("", "median", "p99", "longest"),
        (
            ("a transaction of it", *_milliseconds(took)),
            ("a write of somebody else's meanwhile", *_milliseconds(waits)),
        ),
    )
    print(f"\n{len(took):,} transactions in {seconds:.0f} s, pauses included: {TASKS / seconds:,.0f} tasks a second.")


def _fill(users: list[User], number: int, begin: int) -> None:
    """Old tasks, each with the timeline and the notification that such a task has."""
    old = utcnow() - config().keep_tasks - timedelta(days=1)
    defaults = {"name": "countdown", "title": "Old", "state": "succeeded"}
    tasks = [
        Task(user=users[n % len(users)], finished_at=old - timedelta(seconds=begin + n), **defaults)
        for n in range(number)
    ]
    events = [
        {"task": t.id, "kind": kind, "text": kind} for t in tasks for kind in ("launched", "started", "succeeded")
    ]
    told = {"name": "task_progress", "kind_name": "succeeded", "text": "It is finished", "told_at": old}
    scopes = [{"user": t.user_id, "task": t.id, "scope": str(t.id)} | told for t in tasks]
    with database.atomic():
        Task.bulk_create(tasks)
        for model, rows in ((TaskEvent, events), (Notification, scopes)):
            model.insert_many(rows).execute()


def _fill_files() -> None:
    data = random.randbytes(CHUNK)
    for task in Task.select().limit(FILES):
        with database.atomic():
            size = {"size": CHUNKS * CHUNK, "number": CHUNKS}
            artifact = Artifact.create(task=task, name="a.bin", completed_at=utcnow(), **size)
            chunks = [{"artifact": artifact.id, "number": number, "data": data} for number in range(CHUNKS)]
            ArtifactChunk.insert_many(chunks).execute()


def _write(user: User, waits: list[float], stop: threading.Event) -> None:
    with database.connection_context():
        while not stop.wait(0.005):
            begun = time.perf_counter()
            User.count_change(user.id)
            waits.append(time.perf_counter() - begun)


def _milliseconds(seconds: list[float]) -> tuple[str, str, str]:
    cuts = quantiles(seconds, n=100)
    return tuple(f"{1000 * value:.1f} ms" for value in (cuts[49], cuts[98], max(seconds)))  # type: ignore[return-value]
