"""Signals: what other code may listen to in the life of tasks, with blinker.

    from tasks.engine.models.signals import finished

    @finished.connect
    def tell_accounting(task): ...

Each is sent after the commit, with the task as the sender and nothing else, in the process in which it happened: web,
worker or sweeper. So what a receiver reads is there; and when the process is killed in between, a receiver may miss it.
A receiver that raises is logged, and harms neither the task nor the other receivers. Internal tasks send them, too.
"""

import logging

from blinker import NamedSignal, Namespace

from tasks.engine.models.row import TaskRow
from webapp.db import after_commit

log = logging.getLogger(__name__)
_signals = Namespace()

launched = _signals.signal("launched", doc="Somebody started the task, or scheduled it.")
started = _signals.signal("started", doc="A worker claimed it; with each attempt, and after each interruption.")
progressed = _signals.signal("progressed", doc="Its row says how far it is; at most twice a second.")
retried = _signals.signal("retried", doc="An attempt failed, and another will follow.")
rescued = _signals.signal("rescued", doc="Its worker was not heard from, and another will go on.")
finished = _signals.signal("finished", doc="It has succeeded, failed or been canceled; its state says which.")

enqueued = _signals.signal("enqueued", doc="It waits for a worker. The engine listens, and sends a wake-up.")


def announce(signal: NamedSignal, task: TaskRow) -> None:
    """Send a signal once the transaction has committed; not at all if it is rolled back."""
    if signal.receivers:
        after_commit(lambda: _send(signal, task))


def _send(signal: NamedSignal, task: TaskRow) -> None:
    for receiver in list(signal.receivers_for(task)):
        try:
            receiver(task)
        except Exception:
            log.exception("A receiver of the signal %r failed for task %s", signal.name, task.id)
