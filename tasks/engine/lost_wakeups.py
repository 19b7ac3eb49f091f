"""Lost wake-ups: sends messages again when the queue holds fewer than tasks wait, and drops some of far too many."""

import logging

from tasks.engine import wakeup
from tasks.engine.config import config
from tasks.engine.models import fair_queue

log = logging.getLogger(__name__)


class LostWakeups:
    """Compares the queue with the rows.

    Between the two counts, and between a worker's taking a message and its taking a task, some are missing that are
    not lost. So only what is missing twice in a row is; a queue that has lost nothing gets nothing. And as workers take
    messages meanwhile, of those that are too many at most half are dropped, the oldest.
    """

    def __init__(self) -> None:
        self._missing = 0
        self._queue_answers = True

    @property
    def are_suspected(self) -> bool:
        """Whether some were missing the last time."""
        return self._missing > 0

    def replace(self, at_once: bool = False) -> None:
        """Send what is lost, at most `Config.wakeups_per_look` in `Config.send_wakeups_for` seconds.

        `at_once` takes for lost all that is missing: while kinds are held, messages are used up before their tasks may
        be taken. Or drop what is too many, within as long. Raises when the queue does not answer to that.
        """
        waiting = fair_queue.claimable_count()
        messages = self._messages()
        missing = max(0, waiting - messages)
        lost = min(missing, missing if at_once else self._missing, config().wakeups_per_look)
        self._missing = missing
        if lost and self._queue_answers:
            log.info("Sending %d wake-ups that were lost or never sent", lost)
            self._missing -= wakeup.send(lost, config().send_wakeups_for)
        if messages - waiting > config().keep_wakeups:
            surplus = messages - fair_queue.claimable_count()  # counted later than they, it is rather too few
            dropped = wakeup.drop(surplus // 2, config().send_wakeups_for)
            log.debug("Dropped %d wake-ups of tasks that were taken without them", dropped)

    def _messages(self) -> int:
        queue = config().queue
        try:
            messages = queue.pending_count() if queue else 0
        except Exception:  # the queue has logged it
            self._queue_answers = False
            return 0
        self._queue_answers = queue is not None
        return messages
