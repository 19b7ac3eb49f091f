"""What would be said again and again, said once a minute: a log of an outage that can be read."""

import logging
import threading
import time

EVERY = 60.0  # seconds

_lock = threading.Lock()
_said: dict[tuple[str, str], tuple[float, int]] = {}  # when, and how often it has been kept back since


def warning(log: logging.Logger, message: str, *words: object) -> None:
    """Log a warning, unless this logger has logged this `message`, whatever its words, in the last minute.

    The next one then says how many were kept back.
    """
    now, key = time.monotonic(), (log.name, message)
    with _lock:
        said_at, kept_back = _said.get(key, (now - EVERY, 0))
        if now - said_at < EVERY:
            _said[key] = said_at, kept_back + 1
            return
        _said[key] = now, 0
    if kept_back:
        message += f" ({kept_back} more of this since it was last said)"
    log.warning(message, *(in_one_line(word) if isinstance(word, Exception) else word for word in words))


def in_one_line(error: BaseException) -> str:
    """What an error says; libpq's have explanations over several lines."""
    return " ".join(str(error).split())
