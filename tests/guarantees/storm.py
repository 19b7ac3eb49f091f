"""A storm: many tasks while processes are killed, the queue is emptied and networks misbehave all the time, and what
that has cost them.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psutil

from tasks.engine.models.phrases import LOST
from tasks.engine.models.state import ACTIVE, LEASED
from tests.guarantees.sites import BOOT, LEADS, LEASE, LOOK, SAID, SWEEP, Workshop, processes_of
from tests.guarantees.worker import stamp
from tests.network import Network
from tests.processes import until
from webapp.lib.times import utcnow
from webapp.models import Post, State, Task, User

CONSUMERS = ("first", "second")
PROCESSES = 2  # of each consumer
STEPS = 20
KILL_EVERY = 1.0  # seconds
FLUSHES = 3
CHANGE_EVERY = 2.0  # seconds: how long networks are ill, and then well
# What networks do to all that goes through them.
FAULTS: tuple[Callable[[Network], object], ...] = (
    Network.stall,
    Network.swallow,
    Network.refuse,
    Network.cut,
    lambda network: network.delay(0.3),
    lambda network: network.drip(0.5),
)
# A lease ends, a sweep finds it. The sweeper may have died, too; its successor waits until the place is free.
LONGEST = LEASE + SWEEP + LEADS + 2 * LOOK + BOOT


@dataclass(frozen=True)
class Outcome:
    """What came of a storm. Seconds: `rescued_after` is the longest from the death of a task's process until the task
    was in line again, `idle` the longest for which tasks were in line and none was taken, though a process was free."""

    tasks: int
    kills: int
    flushes: int
    faults: int
    rescues: int
    unsuccessful: int
    missing: int
    twice: int
    rescued_after: float
    idle: float
    seconds: float


class Storm:
    """One storm over a site, in whose storage this process is.

    `flush` empties its queue, if that can be done. `networks` are those between the site and what it needs: each has
    one of the `faults` every other while. This process had better not go through them.
    """

    def __init__(
        self,
        site: Workshop,
        flush: Callable[[], object] | None,
        tasks: int,
        pause: float,
        networks: Sequence[Network] = (),
        faults: Sequence[Callable[[Network], object]] = FAULTS,
        change_every: float = CHANGE_EVERY,
    ) -> None:
        self._site, self._flush, self._flushes = site, flush, 0
        self._networks, self._faults, self._changes, self._change_every = networks, faults, 0, change_every
        self._dice = random.Random(tasks)
        self._died_at: dict[int, datetime] = {}
        self._kills = 0
        people = [User.register_guest() for _ in range(4)]
        self._tasks = [stamp.launch(people[n % 4], steps=STEPS, pause=pause) for n in range(tasks)]

    def rage(self, patience: float) -> Outcome:
        """Let it rage until every task has come to its end. Raises AssertionError after so many seconds."""
        begun = time.monotonic()
        for name in CONSUMERS:
            self._site.start_worker(name)
        self._next_kill, self._next_change = begun + KILL_EVERY, begun + self._change_every
        try:
            until(self._is_over, patience)
        finally:
            for network in self._networks:
                network.heal()
        seconds = time.monotonic() - begun
        for name in CONSUMERS:
            self._site.stop(name)
        return self._outcome(seconds)

    def _is_over(self) -> bool:
        active = Task.select().where(Task.state.in_(ACTIVE), Task.name == stamp.name).count()
        if self._flush and self._flushes < FLUSHES and active <= len(self._tasks) * (1 - (self._flushes + 1) / 5):
            self._flush()
            self._flushes += 1
        if active and time.monotonic() >= self._next_kill:
            self._next_kill += KILL_EVERY
            self._kill()
        if active and time.monotonic() >= self._next_change:
            self._next_change += self._change_every
            self._change_weather()
        return not active

    def _change_weather(self) -> None:
        """Let each network have a fault, or be well, in turn."""
        for network in self._networks:
            network.heal()
            if self._changes % 2 == 0:
                self._dice.choice(self._faults)(network)
        self._changes += 1

    def _kill(self) -> None:
        """Kill a process that runs a task; each fifth time a whole consumer instead, and start another at once, or a
        process that has run none, like its sweeper."""
        kills = {0: self._kill_another, 5: self._kill_a_consumer}
        self._kills += kills.get((self._kills + 1) % 10, self._kill_a_busy_one)()

    def _kill_a_consumer(self) -> bool:
        name = self._dice.choice(CONSUMERS)
        self._died_at |= {process.pid: utcnow() for process in self._site.processes[name].family()}
        self._site.kill_worker(name)
        self._site.start_worker(name)
        return True

    def _kill_a_busy_one(self) -> bool:
        tasks = Task.select().where(Task.state.in_(LEASED), Task.name == stamp.name)
        busy = {pid for task in tasks for pid in processes_of(task)[-1:]}
        return self._kill_one([process for process in self._children() if process.pid in busy])

    def _kill_another(self) -> bool:
        seen = {pid for task in self._tasks for pid in processes_of(task)}
        return self._kill_one([process for process in self._children() if process.pid not in seen])

    def _kill_one(self, processes: list[psutil.Process]) -> bool:
        if not processes:
            return False
        victim = self._dice.choice(processes)
        self._died_at[victim.pid] = utcnow()
        victim.kill()
        return True

    def _children(self) -> list[psutil.Process]:
        """Those that have not been killed; their consumer may not have noticed yet."""
        children = [process for name in CONSUMERS for process in self._site.processes[name].family()[1:]]
        return [process for process in children if process.pid not in self._died_at]

    def _outcome(self, seconds: float) -> Outcome:
        ids = {str(task.id) for task in self._tasks}
        stamps = Counter(body for (body,) in Post.select(Post.body).tuples() if body.split()[0] in ids)
        expected = {f"{id} {number}" for id in ids for number in range(STEPS)}
        tasks = list(Task.select().where(Task.id.in_([task.id for task in self._tasks])))
        histories = [_History(task, self._died_at) for task in tasks]
        return Outcome(
            tasks=len(tasks),
            kills=self._kills,
            flushes=self._flushes,
            faults=(self._changes + 1) // 2 * len(self._networks),
            rescues=sum(history.rescues for history in histories),
            unsuccessful=sum(task.state != State.SUCCEEDED for task in tasks),
            missing=len(expected - stamps.keys()),
            twice=sum(number > 1 for number in stamps.values()),
            rescued_after=max((wait for history in histories for wait in history.rescued_after), default=0.0),
            idle=_longest_idle(point for history in histories for point in history.points),
            seconds=seconds,
        )


class _History:
    """One task's timeline: after which times it was rescued, and when it was in line and in a process."""

    def __init__(self, task: Task, died_at: dict[int, datetime]) -> None:
        self.rescues = 0
        self.rescued_after: list[float] = []
        # When the numbers of tasks in line and of busy processes changed, and by how much.
        self.points: list[tuple[datetime, int, int]] = []
        begun = died = None
        for event in task.timeline():
            if event.kind == "log" and begun:
                died = died_at.get(int(event.text.removeprefix(SAID)))
            elif event.kind == "started":
                begun, died = event.at, None
                self.points.append((event.at, -1, 1))
            elif event.kind == "launched":
                self.points.append((event.at, 1, 0))
            elif event.kind == "pending":
                # A run that was killed before it said where it is has lived for no time.
                lost = event.phrase["phrase"] == LOST[State.PENDING].id
                self.rescues += lost
                ended = died if died and died > begun else begun if lost else event.at
                self.rescued_after.append((event.at - ended).total_seconds())
                self.points += [(ended, 0, -1), (event.at, 1, 0)]
            elif begun:
                self.points.append((event.at, 0, -1))


def _longest_idle(points: Iterable[tuple[datetime, int, int]]) -> float:
    """The longest time within which tasks were in line and none was taken, though a process was free."""
    longest, in_line, busy = 0.0, 0, 0
    since: datetime | None = None
    any_taken = False
    for at, joined, began in sorted(points):
        if since and any_taken:
            longest = max(longest, (at - since).total_seconds())
        in_line, busy, any_taken = in_line + joined, busy + began, any_taken or began > 0
        waiting = in_line > 0 and busy < PROCESSES * len(CONSUMERS)
        since = (at if began > 0 else since or at) if waiting else None
    return longest
