"""How a run ends: with success or failure, or by letting go of the task for another run."""

from datetime import datetime, timedelta

from tasks.engine.models import column_changes, phrases, transitions
from tasks.engine.models.failure_group import failing
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.state import State
from tasks.engine.models.transitions import is_mine
from tasks.engine.models.words import kept
from webapp.lib.error_shape import ErrorShape
from webapp.lib.json_types import Json
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow

# Without any progress. That takes a quarter of an hour at least; it may be what the task does.
MOST_INTERRUPTIONS = 20
INTERRUPTED_FOR = 5.0  # seconds, doubled with each time
INTERRUPTED_AT_MOST = 60.0


class Outcomes(TaskTrait):
    """Each raises IllegalTransition, and changes nothing, when this run does not hold the task any more.

    What ends by an error is of that `shape`, or where none is given, that of the words: it goes into the FailureGroup
    of all that have ended so.
    """

    def succeed(self, result: Json = None) -> None:
        """All is done: the bar is full. Wins over a cancel or a pause that came during the last step."""
        full = self.done if self.total is None else self.total
        transitions.finish(self, State.SUCCEEDED, phrases.SUCCEEDED(), done=full, total=full or None, result=result)

    def fail(self, error: Words, shape: ErrorShape | None = None) -> None:
        """It ended without success, for a reason in words. Progress stays where it stopped."""
        with failing(self, error, shape) as fingerprint:
            transitions.finish(self, State.FAILED, error, **kept(error=error), fingerprint=fingerprint)

    def retry_later(self, delay: float, error: Words, shape: ErrorShape | None = None) -> None:
        """An attempt failed; the next begins after so many seconds. If its owner asked for it to stop, it has."""
        again = phrases.RETRYING(error=error, attempt=self.attempts + 1, attempts=self.retries + 1)
        self._try_again(delay, error, again, shape)

    def postpone(self, until: datetime, why: Words) -> None:
        """The rest is for later, by no fault of anything: it goes on then, and has used up no attempt. If its owner
        asked for it to stop or to pause, it has."""
        transitions.give_up_lease(self, State.RETRYING, why, why, run_at=until, attempts=type(self).attempts - 1)

    def time_out(self, error: Words, delay: float, further: bool, shape: ErrorShape | None = None) -> None:
        """A clock has ended this run, for a reason in words. If its owner asked for it to stop or to pause, it has.

        With an attempt left it is tried again after so many seconds. A run that got `further` has used up none.
        """
        model = type(self)
        if further and self.retries:
            self._try_again(delay, error, phrases.CONTINUING(error=error), shape, attempts=model.attempts - 1)
        elif self.attempts <= self.retries:
            self.retry_later(delay, error, shape)
        else:
            self._give_up(error, shape)

    def _try_again(self, delay: float, error: Words, words: Words, shape: ErrorShape | None, **changes: object) -> None:
        run_at = utcnow() + timedelta(seconds=delay)
        with failing(self, error, shape) as cause:
            transitions.give_up_lease(self, State.RETRYING, words, error, run_at=run_at, fingerprint=cause, **changes)

    def _give_up(self, error: Words, shape: ErrorShape | None) -> None:
        with failing(self, error, shape) as fingerprint:
            transitions.give_up_lease(self, State.FAILED, error, error, fingerprint=fingerprint)

    def interrupt(self, why: Words, shape: ErrorShape | None = None) -> None:
        """The database ended this run, by no fault of the task's. Another goes on in some seconds, longer each time.

        After MOST_INTERRUPTIONS by which it got no further it fails: it may be what the task does. If its owner asked
        for it to stop or to pause, it has.
        """
        model = type(self)
        if self.interruptions >= MOST_INTERRUPTIONS:
            self._give_up(phrases.INTERRUPTED_REPEATEDLY(), shape)
            return
        self._recall_cursor()
        delay = min(INTERRUPTED_FOR * 2.0**self.interruptions, INTERRUPTED_AT_MOST)
        counts = {
            "interruptions": model.interruptions + 1,
            "rescues": model.rescues + 1,
            "attempts": model.attempts - 1,
        }
        back = column_changes.resuming(self) | counts | {"run_at": utcnow() + timedelta(seconds=delay)}
        with failing(self, why, shape) as fingerprint:
            transitions.give_up_lease(self, State.RETRYING, why, why, fingerprint=fingerprint, **back)

    def _recall_cursor(self) -> None:
        """Nobody else knows whether the last checkpoint was committed when the connection was lost meanwhile."""
        model = type(self)
        if row := model.select(model.cursor).where(is_mine(self)).first():
            self.cursor = row.cursor

    def hand_back(self) -> None:
        """Give it back so that another worker goes on; for a worker that is shutting down."""
        self._give_back(phrases.HANDED_BACK())

    def make_way(self) -> None:
        """Give it back so that somebody goes first of whom nothing runs; whoever is at the head of the line does."""
        self._give_back(phrases.MADE_WAY(), behind=1)

    def _give_back(self, why: Words, behind: int = 0) -> None:
        key = column_changes.next_queue_key(self)
        back = column_changes.resuming(self) | {
            "attempts": type(self).attempts - 1,
            "queue_key": None if key is None else key + behind,
        }
        transitions.give_up_lease(self, State.PENDING, why, **back)

    def acknowledge_stop(self) -> None:
        """It noticed what its owner asked for, and has stopped or paused by that.

        To pause uses up no attempt. Raises IllegalTransition if nothing was asked for.
        """
        model = type(self)
        transitions.give_up_lease(self, attempts=model.attempts - 1)
