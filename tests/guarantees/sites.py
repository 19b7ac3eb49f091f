"""A site whose worker knows the tasks of these tests, and the means to see from this process what became of them."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tasks.engine import wakeup
from tasks.queue import huey
from tests.network import Network
from tests.processes import PATIENCE, Process, Site, until
from webapp import db
from webapp.models import Artifact, Post, State, Task, TaskEvent
from webapp.settings import Settings
from webapp.storage import use_storage

LEASE, SWEEP = 2, 1
BOOT = 5  # seconds: how long a worker may take to start while the machine is busy
LEADS, LOOK = 3, 1  # seconds: how long a dead sweeper is waited for, and how often another asks
WORKER = [sys.executable, "-m", "tests.guarantees.worker"]
SAID = "in process "


class Workshop(Site):
    """A site without web. Its tasks are started by this very process, as its web would, and seen in its database."""

    def __init__(self, folder: Path, **variables: str) -> None:
        leases = {"TASK_LEASE_SECONDS": str(LEASE), "TASK_SWEEP_SECONDS": str(SWEEP)}
        super().__init__(folder, **leases | variables)
        self.near = dict(self.env)

    @contextmanager
    def far_away(self) -> Iterator[Network]:
        """Let its processes, but not this one, reach their PostgreSQL by a network, from when they are started."""
        url = urlsplit(self.near["DATABASE_URL"])
        with Network(url.port) as network:
            self.env["DATABASE_URL"] = url._replace(netloc=f"{url.username}@127.0.0.1:{network.port}").geturl()
            yield network

    def start_worker(self, name: str = "worker") -> Process:
        """Start a worker that knows the tasks of these tests."""
        return self.start(name, WORKER)

    def worker(self) -> Process:
        """The site's worker, running."""
        running = self.processes.get("worker")
        return running if running and running.popen.poll() is None else self.start_worker()

    def rest(self) -> None:
        """Let no worker run, and no message of an earlier test be left."""
        for name in list(self.processes):
            self.stop(name)
        self.empty_queue()

    def empty_queue(self) -> None:
        """Lose all messages: all that Redis has, or the messages in the embedded queue."""
        if "REDIS_URL" in self.env:
            huey.storage.conn.flushall()
        else:
            huey.storage.flush_queue()

    def kill_worker(self, name: str = "worker") -> None:
        """Kill the consumer, and wait until its children, who die along, are gone."""
        process = self.processes.pop(name)
        family = process.family()
        process.popen.kill()
        process.popen.wait()
        _, left = psutil.wait_procs(family, timeout=PATIENCE)
        assert not left, "children must die along"

    @contextmanager
    def entered(self, **variables: str) -> Iterator[None]:
        """Point this process's database and queue at the site's storage, or where it is told, while the block lasts."""
        settings = Settings.from_env(self.near | variables)
        use_storage(settings)
        try:
            yield
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Close this process's connections; the next query opens others."""
        db.database.close()
        huey.storage.close()

    def send_wakeups(self, times: int) -> None:
        """Send wake-ups, whether a task waits or not."""
        wakeup.send(times)

    def messages(self) -> int:
        """How many messages are in the queue."""
        return huey.pending_count()


def state_of(task: Task) -> State:
    """Its state now."""
    return Task.get_by_id(task.id).state


def is_under_way(task: Task) -> bool:
    """Whether a worker has it and it has made a step that stands."""
    now = Task.get_by_id(task.id)
    return now.state == State.IN_PROGRESS and now.cursor is not None and now.done > 0


def has_written(task: Task) -> bool:
    """Whether a part of a task's file stands by now."""
    return bool(Artifact.select().where(Artifact.task == task.id, Artifact.number > 0))


def is_done(*tasks: Task) -> bool:
    """Whether all of them have finished."""
    ids = [task.id for task in tasks]
    return Task.select().where(Task.id.in_(ids), Task.finished_at.is_null(False)).count() == len(ids)


def kinds(task: Task) -> list[str]:
    """What happened to it, without what it logged itself."""
    return [event.kind for event in task.timeline() if event.kind != "log"]


def processes_of(task: Task) -> list[int]:
    """The ids of the processes in which a task said that it runs, one for each run."""
    said = TaskEvent.select().where(TaskEvent.task == task.id, TaskEvent.text.startswith(SAID))
    return [int(event.text.removeprefix(SAID)) for event in said.order_by(TaskEvent.id)]


def process_of(task: Task) -> psutil.Process:
    """The worker process of the latest run of a task that says where it runs."""
    return psutil.Process(until(lambda: processes_of(task))[-1])


def stamps_of(task: Task) -> Counter[int]:
    """How often each step has left its post."""
    bodies = Post.select(Post.body).where(Post.body.startswith(f"{task.id} ")).tuples()
    return Counter(int(body.split()[1]) for (body,) in bodies)


def assert_stamped_once(*tasks: Task, patience: float = 30) -> None:
    """Wait until they are done: each must have succeeded, and each of its steps must have left one post."""
    until(lambda: is_done(*tasks), patience)
    for task in tasks:
        now = Task.get_by_id(task.id)
        assert (now.state, now.error) == (State.SUCCEEDED, "")
        assert stamps_of(now) == Counter(range(now.arguments["steps"]))
        assert (now.done, now.total) == (now.arguments["steps"], now.arguments["steps"])


def assert_written_once(task: Task, patience: float = 30) -> None:
    """Wait until it is done: its file must have each line once and in order."""
    until(lambda: is_done(task), patience)
    assert (state_of(task), Task.get_by_id(task.id).error) == (State.SUCCEEDED, "")
    [artifact] = Artifact.select().where(Artifact.task == task.id)
    lines = artifact.read().decode().splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(task.arguments["lines"]))
    assert artifact.completed_at
