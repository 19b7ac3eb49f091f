"""Progress: how far a task is, as people read it."""

from webapp.models import State, Task
from webapp.times import duration_words

# A first guess after less work than this would be wild.
GUESS_AFTER = 2.0  # seconds


class Progress:
    """Reads one task's numbers. Everything depends on the row alone, so the same row always reads the same."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def max(self) -> int | None:
        """The bar's full length; None when nobody knows how much there is to do."""
        return self.task.total or None

    @property
    def value(self) -> int | None:
        """How much of the bar is full; None when the total is unknown. Never more than `max`."""
        return min(self.task.done, self.max) if self.max else None

    @property
    def percent(self) -> int | None:
        """Whole percents, rounded down, so that 100 means done; None when the total is unknown."""
        return self.value * 100 // self.max if self.max and self.value is not None else None

    @property
    def amount(self) -> str:
        """What is done so far, like '12 of 40' or '12 so far'; empty before the first step."""
        if self.max:
            return f"{self.value:,} of {self.max:,}"
        return f"{self.task.done:,} so far" if self.task.done else ""

    @property
    def left(self) -> str:
        """The time left in words, like 'about 2 minutes left'; empty while there is nothing to judge by.

        It goes by this run's average pace up to its latest progress, not by the clock, so it stands still between.
        """
        task = self.task
        if task.state != State.IN_PROGRESS or not self.max or not task.done or not task.started_at:
            return ""
        elapsed = (task.updated_at - task.started_at).total_seconds()
        if elapsed < GUESS_AFTER:
            return ""
        return f"{duration_words(elapsed / task.done * max(0, self.max - task.done))} left"

    @property
    def took(self) -> str:
        """How long the last run took in words; empty before it has ended, or when it never began."""
        start, end = self.task.started_at, self.task.finished_at
        return duration_words((end - start).total_seconds()) if start and end else ""
