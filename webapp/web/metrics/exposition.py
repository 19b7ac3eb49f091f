"""The text of /metrics: made at most once in KEPT_FOR seconds by a process, whoever asks."""

import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from webapp.db.resilience import persistently
from webapp.models.reading import read
from webapp.web.metrics.families import families

KEPT_FOR = 5.0  # seconds
PATIENCE = 5.0  # seconds, for another thread that just asks the database


class Busy(Exception):
    """Another thread has waited for the database too long."""


class Exposition:
    """What a process answers, kept for a moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._made_at = float("-inf")
        self._metrics: list[Metric] = []
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The metrics, as the registry asks for them."""
        yield from self._metrics

    def text(self, accept: str) -> tuple[bytes, str]:
        """The text that a program accepts, and its type. Raises PeeweeException, or Busy, where the database does not
        answer."""
        encode, content_type = choose_encoder(accept)
        if not self._lock.acquire(timeout=PATIENCE):
            raise Busy
        try:
            if self._clock() - self._made_at >= KEPT_FOR:
                self._metrics = list(families(persistently(read)))
                self._made_at = self._clock()
            return encode(self._registry), content_type
        finally:
            self._lock.release()
