"""Progress: how far a task is, as people read it."""

from webapp.lib.i18n import estimate, ngettext, number
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.models.task.fair_queue import QueuePosition
from webapp.models.task.state import LEASED

# A first guess after less work than this would be wild.
GUESS_AFTER = 2.0  # seconds
# Below this, a little less than what the sweeper calls soon, the time to the next attempt is counted down.
COUNTED = 80.0  # seconds
PARTS_MAX = 1000  # how finely the bar of a whole is divided: its parts' steps may be of any size


class Progress:
    """Reads one task's numbers. All but `next_attempt` depends on the row alone, so the same row reads the same."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def max(self) -> int | None:
        """The bar's full length; None when nobody knows how much there is to do. Of a whole it is PARTS_MAX."""
        return (self.task.total or None) if self.task.share is None else PARTS_MAX

    @property
    def value(self) -> int | None:
        """How much of the bar is full; None when the total is unknown. Never more than `max`.

        That of a whole goes by its share, and so never goes back until the whole is tried again.
        """
        if self.task.share is not None:
            return int(self.task.share * PARTS_MAX)
        return min(self.task.done, self.max) if self.max else None

    @property
    def percent(self) -> int | None:
        """Whole percents, rounded down, so that 100 means done; None when the total is unknown."""
        return self.value * 100 // self.max if self.max and self.value is not None else None

    @property
    def amount(self) -> str:
        """What is done so far, like '12 of 40', '12 so far' or, of a whole, '30%'; empty before the first step."""
        if self.task.share is not None:
            return f"{self.percent}%" if self.percent else ""
        if self.max:
            return f"{number(self.value or 0)} of {number(self.max)}"
        return f"{number(self.task.done)} so far" if self.task.done else ""

    @property
    def reached(self) -> str:
        """Where it stopped, like ' after 12 of 40'; empty if it had not begun, and of a mail, which counts people."""
        has_begun = self.task.done or self.task.share
        return f" after {self.amount}" if has_begun and self.amount and self.task.name != "send_mail" else ""

    @property
    def left(self) -> str:
        """The time left in words, like 'about 2 minutes left'; empty while there is nothing to judge by.

        It goes by the average pace up to its latest progress, not by the clock, so it stands still between.
        """
        task = self.task
        if task.state != State.IN_PROGRESS or not self.max or not self.value or not task.started_at:
            return ""
        elapsed = task.run_seconds + (task.updated_at - task.started_at).total_seconds()
        if elapsed < GUESS_AFTER:
            return ""
        return f"{estimate(elapsed / self.value * (self.max - self.value))} left"

    @property
    def numbers(self) -> str:
        """How far it is while it runs, like 'about 2 minutes left · 43%'; empty while nothing is known."""
        percent = "" if self.percent is None else f"{self.percent}%"
        return " · ".join(filter(None, [self.left, self.amount if self.max is None else "", percent]))

    @property
    def is_moving(self) -> bool:
        """Whether somebody works on it now."""
        return self.task.state in LEASED

    @property
    def next_attempt(self) -> str:
        """How soon it is tried again, like 'in 40 seconds', for which the sweeper has pages ask anew.

        Empty while that is further off than COUNTED: pages are then told nothing new, so only a date stays true.
        """
        left = (self.task.run_at - utcnow()).total_seconds() if self.task.run_at else 0
        return f"in {estimate(max(0, left))}" if left <= COUNTED else ""

    @property
    def attempt(self) -> str:
        """Which attempt comes next, like 'attempt 2 of 4'; empty if none has failed yet."""
        task = self.task
        return f"attempt {task.attempts + 1} of {task.retries + 1}" if task.attempts else ""

    @property
    def took(self) -> str:
        """How long it was worked on in words; empty before it has ended, or when it never began."""
        task = self.task
        return estimate(task.run_seconds) if task.started_at and task.is_finished else ""


def waiting_words(place: QueuePosition | None) -> str:
    """How long a task waits, like '3 tasks ahead, about 2 minutes'."""
    if place is None or not place.ahead:
        return "Waiting for a free worker"
    ahead = ngettext("%(num)s task ahead", "%(num)s tasks ahead", place.ahead)
    if place.wait is None:
        return ahead
    wait = estimate(place.wait)
    return f"{ahead}, {wait if wait.startswith('a few') else f'about {wait}'}"
