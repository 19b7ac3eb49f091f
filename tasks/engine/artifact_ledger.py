"""The artifact ledger: which artifacts a run has made, so that the next run goes on with the same ones."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.engine.allowance import Allowance
from tasks.engine.config import config
from tasks.engine.errors import TaskError
from tasks.engine.models import Artifact, ArtifactWriter, Task
from tasks.engine.models.artifact import Kind, checked_link
from tasks.engine.models.phrases import DELETED
from webapp.lib.json_types import Json


class ArtifactLedger:
    """Opens artifacts and counts them by name: the second `a.csv` of a run is the second one of its next run, too.

    `saved` is what `as_json` gave at the latest checkpoint. A run that goes on skips the steps that are done, so it
    counts what these have made as soon as their loop begins. Each write to an artifact calls `touch`. `of_step` are the
    names that the current step has made, for `end_step` to count. What is written takes of the `allowance`.
    """

    def __init__(
        self, task: Task, saved: list[dict[str, int]], touch: Callable[[], object], allowance: Allowance
    ) -> None:
        self._task, self._touch, self._allowance = task, touch, allowance
        self._by_loop: list[Counter[str]] = [Counter(names) for names in saved]
        self.of_step: list[str] = []
        self._loop = -1  # the number of the loop that began last, from 0
        self._used: Counter[str] = Counter()
        self._open: list[ArtifactWriter] = []

    @property
    def is_empty(self) -> bool:
        """Whether the run has begun no artifact."""
        return not self._used

    def begin_loop(self) -> None:
        """Count what earlier runs have made in the steps of the loop that begins."""
        self._loop += 1
        if self._loop == len(self._by_loop):
            self._by_loop.append(Counter())
        self._used.update(self._by_loop[self._loop])

    def end_step(self) -> None:
        """A step of the loop is done: no later run makes its artifacts again."""
        if self.of_step:
            self._by_loop[self._loop].update(self.of_step)
            self.of_step = []

    @contextmanager
    def file(self, name: str, within_step: bool, is_shown: bool = True) -> Iterator[ArtifactWriter]:
        """A file to write to while the block lasts; each checkpoint keeps what was written by then.

        Raises TaskError where its owner has deleted what an earlier run made of it.
        """
        with self._opened(name, Kind.FILE, within_step, is_shown) as out:
            self._open.append(out)
            try:
                yield out
            finally:
                self._open.remove(out)

    def attach(
        self, name: str, data: str | bytes | None, url: str | None, text: str | None, within_step: bool
    ) -> Artifact:
        """Make a whole artifact of one of these. Raises TypeError unless exactly one is given; TaskError as `file`."""
        given = {Kind.FILE: data, Kind.LINK: None if url is None else checked_link(url), Kind.TEXT: text}
        contents = {kind: content for kind, content in given.items() if content is not None}
        if len(contents) != 1:
            raise TypeError("attach takes one of data, url and text")
        [(kind, content)] = contents.items()
        with self._opened(name, kind, within_step) as out:
            out.write(content)
        return out.artifact

    def flush(self) -> None:
        """Save what was written to open files. In the transaction of a checkpoint."""
        for writer in self._open:
            writer.flush()

    def as_json(self) -> Json:
        """What a checkpoint saves."""
        return [dict(names) for names in self._by_loop]

    @contextmanager
    def _opened(self, name: str, kind: Kind, within_step: bool, is_shown: bool = True) -> Iterator[ArtifactWriter]:
        """The next artifact of this name, which an earlier run may have begun."""
        nth, self._used[name] = self._used[name], self._used[name] + 1
        if within_step:
            self.of_step.append(name)
        keep, moved = config().keep_artifacts, self._touch
        with ArtifactWriter(self._task, name, kind, nth, keep, moved, is_shown, self._allowance) as out:
            if out.artifact.deleted_at:
                raise TaskError(DELETED(file=name))
            yield out
