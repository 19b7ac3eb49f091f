"""What the desk says of workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from tasks.engine.models.held_tasks import held_by
from tasks.engine.models.task import Task
from webapp.lib.i18n import ngettext, number
from webapp.lib.times import clock_words
from webapp.models import Worker
from webapp.web.presenters.desk.task_rows import kind_words

GONE_FOR = timedelta(minutes=5)  # how long one is shown after it was last heard
MOST = 500  # workers
NAMED = 5  # of the tasks that one runs
MB = 1_000_000
ROUNDED_TO = 10 * MB  # what a poll would tell of each turn otherwise


@dataclass(frozen=True)
class ShownWorker:
    """One worker with the tasks that it runs. `is_ours`: it runs the release of this process."""

    worker: Worker
    tasks: Sequence[Task]
    is_ours: bool

    @property
    def standing(self) -> str:
        """What it is doing, in a few words."""
        if not self.worker.is_alive:
            return "Not heard from"
        if not self.worker.hears_of_quiet:
            return "Takes tasks, of an older release"
        if self.worker.quiet_at is None:
            return "Takes tasks"
        if not self.tasks:
            return "Quiet, and empty"
        return ngettext("Quiet, with %(num)s task left", "Quiet, with %(num)s tasks left", len(self.tasks))

    @property
    def running(self) -> str:
        """How many tasks it runs; a worker of an older release leaves no word of that."""
        return number(len(self.tasks)) if self.tasks or self.worker.hears_of_quiet else "–"

    @property
    def memory(self) -> int | None:
        """About how many bytes it has; None where nobody knows."""
        has = self.worker.memory
        return None if has is None else max(ROUNDED_TO, round(has / ROUNDED_TO) * ROUNDED_TO)

    def kind_of(self, task: Task) -> str:
        """What it runs, as people call it."""
        return kind_words(task)

    @property
    def named(self) -> Sequence[Task]:
        """The tasks that are named one by one, the longest running first."""
        return self.tasks[:NAMED]

    def key(self, zone: str) -> tuple[object, ...]:
        """All that is shown of it."""
        worker = self.worker
        times = (clock_words(at, zone) if at else None for at in (worker.heard_at, worker.quiet_at))
        ran = [(task.id.hex, task.name) for task in self.named]
        return worker.token, self.standing, worker.processes, len(self.tasks), self.memory, worker.release, *times, *ran


class ShownWorkers:
    """Those that live, or were heard a while ago, by host; the first MOST of them. Two queries."""

    def __init__(self, release: str) -> None:
        found = list(Worker.known(GONE_FOR, MOST + 1))
        self.is_cut = len(found) > MOST
        found = found[:MOST]
        held = held_by(found)
        self.all = [ShownWorker(worker, held[worker.token], worker.release == release) for worker in found]

    @cached_property
    def alive(self) -> list[ShownWorker]:
        """Those that live."""
        return [shown for shown in self.all if shown.worker.is_alive]

    @property
    def are_all_quiet(self) -> bool:
        """Whether tasks wait because nobody is to take them."""
        return bool(self.alive) and all(shown.worker.quiet_at for shown in self.alive)

    @property
    def slots(self) -> int:
        """How many tasks can run at once on those that take any."""
        return sum(shown.worker.processes for shown in self.alive if shown.worker.quiet_at is None)

    @property
    def running(self) -> int:
        """How many tasks run, on all that are shown."""
        return sum(len(shown.tasks) for shown in self.all)

    @property
    def cut_words(self) -> str:
        """What is left out, where there are more than MOST."""
        return f"Only the first {MOST} are told, by host and process." if self.is_cut else ""

    def version(self, zone: str) -> str:
        """By which a poll knows whether anything that is shown has changed."""
        return repr([self.is_cut, *(shown.key(zone) for shown in self.all)])
