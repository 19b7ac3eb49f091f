"""Progress: how far a task is, in words and numbers."""

from datetime import datetime, timedelta

from tasks.catalogue import CATALOGUE
from tasks.engine.models.fair_queue import QueuePosition
from tasks.engine.models.open_line import Hold
from tasks.engine.models.state import LEASED
from tasks.engine.models.waiting_users import EXACT_BELOW
from webapp.lib.i18n import estimate, ngettext, number
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.web.presenters.held_kinds import until_words
from webapp.web.presenters.state_words import STATE_WORDS
from webapp.web.presenters.task_pages import page_of

# An estimate after less work than this would be wild.
ESTIMATE_AFTER = 2.0  # seconds
# The next attempt is counted down from here; a little less than what the sweeper calls soon.
COUNTDOWN_WITHIN = 80.0  # seconds
WORKFLOW_BAR_LENGTH = 1000  # of any number of children with steps of any size


class Progress:
    """The progress of one task in words and numbers. Only `next_attempt` depends on anything but the row."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def max(self) -> int | None:
        """The full length of the bar; None if the total is unknown. WORKFLOW_BAR_LENGTH for a workflow."""
        return (self.task.total or None) if self.task.share is None else WORKFLOW_BAR_LENGTH

    @property
    def value(self) -> int | None:
        """How much of the bar is full; None if the total is unknown. Never more than `max`.

        For a workflow it is its share, which never goes back until the workflow is retried.
        """
        if self.task.share is not None:
            return int(self.task.share * WORKFLOW_BAR_LENGTH)
        return min(self.task.done, self.max) if self.max else None

    @property
    def percent(self) -> int | None:
        """Whole percent, rounded down, so that 100 means done; None if the total is unknown."""
        return self.value * 100 // self.max if self.max and self.value is not None else None

    @property
    def amount(self) -> str:
        """What is done so far, like '12 of 40', '12 so far' or '30%' for a workflow; empty before the first step."""
        if self.task.share is not None:
            return f"{self.percent}%" if self.percent else ""
        if self.max:
            return f"{number(self.value or 0)} of {number(self.max)}"
        return f"{number(self.task.done)} so far" if self.task.done else ""

    @property
    def reached(self) -> str:
        """Where it stopped, like ' after 12 of 40'; empty if it had not begun, or its page says that otherwise."""
        has_begun = self.task.done or self.task.share
        return f" after {self.amount}" if has_begun and self.amount and page_of(self.task).tells_amount else ""

    @property
    def left(self) -> str:
        """The time left in words, like 'about 2 minutes left'; empty while there is too little to estimate from.

        Estimated from the average pace up to the latest progress, not from the clock, so the same row reads the same.
        """
        seconds = self._seconds_left
        return "" if seconds is None else f"{estimate(seconds)} left"

    @property
    def ends_at(self) -> datetime | None:
        """The same as a moment, in whole seconds, which passes if no progress is made; None without an estimate."""
        seconds = self._seconds_left
        try:
            ends = None if seconds is None else self.task.updated_at + timedelta(seconds=seconds)
        except OverflowError:  # beyond the calendar
            return None
        return ends and ends.replace(microsecond=0)

    @property
    def _seconds_left(self) -> float | None:
        """From the latest progress on."""
        task = self.task
        if task.state != State.IN_PROGRESS or not self.max or not self.value or not task.started_at:
            return None
        elapsed = task.run_seconds + (task.updated_at - task.started_at).total_seconds()
        return None if elapsed < ESTIMATE_AFTER else elapsed / self.value * (self.max - self.value)

    @property
    def numbers(self) -> str:
        """How far it is while it runs, like 'about 2 minutes left · 43%'; empty while nothing is known."""
        percent = "" if self.percent is None else f"{self.percent}%"
        return " · ".join(filter(None, [self.left, self.amount if self.max is None else "", percent]))

    @property
    def is_full(self) -> bool:
        """Whether the bar is full although the total is unknown: all is done."""
        return self.task.state == State.SUCCEEDED

    @property
    def is_settling(self) -> bool:
        """Whether it will most likely be in another state within a second or two."""
        return STATE_WORDS[self.task.state].settles_soon

    @property
    def is_moving(self) -> bool:
        """Whether a worker is running it."""
        return self.task.state in LEASED

    @property
    def next_attempt(self) -> str:
        """When it is retried, like 'in 40 seconds'; the sweeper has pages ask again to count down.

        Empty if that is further off than COUNTDOWN_WITHIN: pages then do not ask again, so only a date stays true.
        """
        left = (self.task.run_at - utcnow()).total_seconds() if self.task.run_at else 0
        return f"in {estimate(max(0, left))}" if left <= COUNTDOWN_WITHIN else ""

    @property
    def attempt(self) -> str:
        """Which attempt comes next, like 'attempt 2 of 4'; empty if none has failed yet."""
        task = self.task
        return f"attempt {task.attempts + 1} of {task.retries + 1}" if task.attempts else ""

    @property
    def took(self) -> str:
        """How long it ran, in words; empty before its end, or if it never ran."""
        task = self.task
        return estimate(task.run_seconds) if task.started_at and task.is_finished else ""


def queue_text(position: QueuePosition | None, task: Task, zone: str) -> str:
    """How long a task waits, like '3 tasks ahead, about 2 minutes', or what holds it.

    In round numbers where that is far from the front: pages are told of a place there only now and then.
    """
    if position and position.hold:
        return _held_text(position.hold, task, zone)
    if position is None or not position.ahead:
        return "Waiting for a free worker"
    if position.ahead < EXACT_BELOW:
        ahead = ngettext("%(num)s task ahead", "%(num)s tasks ahead", position.ahead)
    else:
        rounded = _in_round_numbers(position.ahead)
        ahead = ngettext("About %(num)s task ahead", "About %(num)s tasks ahead", rounded)
    if position.wait is None:
        return ahead
    wait = estimate(position.wait)
    return f"{ahead}, {wait if wait.startswith('a few') else f'about {wait}'}"


def _held_text(hold: Hold, task: Task, zone: str) -> str:
    """Why it waits, like 'Waiting: all “Countdown” tasks are paused until 14:00. The mail server is down'."""
    function = CATALOGUE.get(task.name)
    kind = f"“{function.label}” tasks" if function else "tasks of this kind"
    if hold.until is None:
        return f"Waiting: as many {kind} are running as may at once"
    paused = f"Waiting: all {kind} are paused until {until_words(hold.until, zone, hold.since)}"
    return f"{paused}. {hold.reason}" if hold.reason else paused


def _in_round_numbers(number: int) -> int:
    """The number to two digits, like 1,200 for 1,234."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return round(number / unit) * unit
