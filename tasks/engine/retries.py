"""Retries: which errors are tried again, and when."""

import random
from dataclasses import dataclass

from peewee import DataError, IntegrityError, ProgrammingError

from tasks.engine.errors import TaskError, TemporaryError

# Errors of the program or of its input: trying again cannot help.
HOPELESS: tuple[type[BaseException], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    NotImplementedError,
    SyntaxError,
    TypeError,
    ValueError,
    DataError,
    IntegrityError,
    ProgrammingError,
)


@dataclass(frozen=True)
class Retries:
    """How often to try again, and how long to wait: exponentially longer each time, with jitter, up to a cap.

    The jitter takes up to half of each wait, so that what failed together does not come back together
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """

    times: int = 0
    delay: float = 10.0  # seconds before the second attempt
    longest: float = 3600.0
    on: tuple[type[Exception], ...] | None = None

    def allow(self, error: BaseException) -> bool:
        """Whether an attempt that ended by this error is worth another."""
        if self.on is not None:
            return isinstance(error, self.on)
        return isinstance(error, TemporaryError) or not isinstance(error, (TaskError, SystemExit, *HOPELESS))

    def wait(self, attempt: int) -> float:
        """Seconds between this attempt, counted from 1, and the next."""
        longest = min(self.longest, self.delay * 2.0 ** min(attempt - 1, 60))
        return random.uniform(longest / 2, longest)  # noqa: S311 - nobody gains by guessing it
