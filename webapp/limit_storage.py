"""Where the limits on how often one may try are counted: in Redis for all processes, or here while it is away."""

import logging
from typing import Any

from limits.storage import MemoryStorage, RedisStorage, Storage
from redis import RedisError

from webapp.deadline import deadline
from webapp.outage import Breaker, Outage
from webapp.redis_pool import ANSWERS_WITHIN, redis_pool

log = logging.getLogger(__name__)

SCHEME = "guarded+"
AWAY, BACK = "Redis does not answer, so each process counts tries for itself", "Tries are counted in Redis again"


class GuardedRedis(Storage):
    """Counts in Redis, and for itself for as long as that does not answer: people can sign in, and guessing stays slow.

    No question raises, nor takes longer than ANSWERS_WITHIN seconds; while Redis is away most take no time.
    Its address is that of the Redis, with SCHEME before it.
    """

    STORAGE_SCHEME = [f"{SCHEME}redis", f"{SCHEME}rediss"]

    def __init__(self, uri: str, wrap_exceptions: bool = False) -> None:
        super().__init__(uri, wrap_exceptions)
        url = uri.removeprefix(SCHEME)
        self._redis = RedisStorage(url, connection_pool=redis_pool(url))
        self._here = MemoryStorage()
        self._breaker = Breaker(Outage(log, AWAY, BACK))

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a question may raise: nothing that anybody should expect."""
        return RedisError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, for so many seconds from the first time; returns how many there are."""
        return int(self._ask("incr", key, expiry, amount))

    def get(self, key: str) -> int:
        """How many there are."""
        return int(self._ask("get", key))

    def get_expiry(self, key: str) -> float:
        """When they are forgotten, in seconds since the epoch."""
        return float(self._ask("get_expiry", key))

    def check(self) -> bool:
        """Whether it can count: always."""
        return True

    def reset(self) -> int | None:
        """Forget everything."""
        return self._ask("reset")

    def clear(self, key: str) -> None:
        """Forget one."""
        self._ask("clear", key)

    def _ask(self, question: str, *args: Any) -> Any:
        try:
            with self._breaker, deadline(ANSWERS_WITHIN):
                return getattr(self._redis, question)(*args)
        except (RedisError, OSError):
            return getattr(self._here, question)(*args)
