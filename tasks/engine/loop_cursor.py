"""The loop cursor: how many steps of a run are done, and from where each of its loops goes on in the next run."""

from collections.abc import Iterable
from typing import TypedDict

from tasks.engine.iteration import Loop, loop_over
from webapp.lib.json_types import Json

END = "end"  # the position of a loop that is done


class SavedCursor(TypedDict, total=False):
    """What a checkpoint saves: `own` is the task function's; `artifacts` counts each loop's by their names."""

    own: Json
    done: int
    total: int | None
    loops: list[Json]
    artifacts: list[dict[str, int]]


class LoopCursor:
    """Counts steps, and knows each loop of a run again in the next run by its number: the first, the second and so on.

    `saved` is what `as_json` gave at the latest checkpoint, empty for a task that has none; `expected` is the total
    with which the task was started, if it was with any. Asks the database for nothing but the length of a query.
    """

    def __init__(self, saved: SavedCursor, expected: int | None) -> None:
        self.done: int = saved.get("done", 0)
        self._total: int | None = saved.get("total", expected)
        self._total_is_given = expected is not None
        self._positions: list[Json] = saved.get("loops", [])
        self._number = -1  # of the loop that began last, from 0
        self._loop: Loop | None = None
        # How many steps the item was that the function left a loop with: by `break`, or, which only its next call to
        # the run tells apart, by an error.
        self._left_with: int | None = None
        self._saved = (self.done, self._total)

    @property
    def total(self) -> int | None:
        """How many steps there are; None while that is unknown."""
        return self._total

    @total.setter
    def total(self, number: int | None) -> None:
        self._total, self._total_is_given = number, True

    @property
    def is_in_loop(self) -> bool:
        """Whether the run is in a step of a loop."""
        return self._loop is not None

    @property
    def is_after_last_step(self) -> bool:
        """Whether the loop that the run is in has no further step; False if that is unknown. One query at most."""
        return self._loop is not None and self._loop.is_over

    @property
    def reads_next(self) -> bool:
        """Whether the database is read before the next step."""
        return self._loop is not None and self._loop.reads_next

    def begin_loop(self) -> bool:
        """Count one more loop. Whether there is anything left of it to do."""
        self._number += 1
        if self._number == len(self._positions):
            self._positions.append(None)
        return bool(self._positions[self._number] != END)

    def enter(self, items: Iterable[object], size: int | None) -> Loop:
        """The loop that has begun, from where an earlier run left it; the run is in it from now on.

        Unless the task has said its total, that becomes what is done and what remains, if that is known. Raises
        ValueError for a query that cannot be read in batches.
        """
        loop = loop_over(items, self._positions[self._number], size)
        if not self._total_is_given:
            self._total = None if (remaining := loop.remaining) is None else self.done + remaining
        self._loop = loop
        return loop

    def exit(self) -> None:
        """The run is in no loop any more."""
        self._loop = None

    def end_loop(self) -> None:
        """The loop is done: no later run makes a step of it."""
        self._positions[self._number] = END

    def leave_loop(self, steps: int) -> None:
        """The function has left the loop with an item of so many steps, which may be done."""
        self._left_with = steps

    def take_left(self) -> int | None:
        """The steps with which the function left a loop, once; None if it left none."""
        steps, self._left_with = self._left_with, None
        return steps

    def as_json(self) -> dict[str, Json]:
        """What a checkpoint saves."""
        if self._loop is not None and self._positions[self._number] != END:
            self._positions[self._number] = self._loop.position
        return {"done": self.done, "total": self._total, "loops": self._positions}

    def mark_saved(self) -> None:
        """A checkpoint stands."""
        self._saved = (self.done, self._total)

    def go_back(self) -> None:
        """Count as the latest checkpoint does: what came after it was undone."""
        self.done, self._total = self._saved
