"""The pace of mail to many: as fast as it goes, until the mail server asks for less; then as `MailPace` says.

if seconds := pace.seconds_to_wait():
    ...  # let go of the worker for so long, and say `slowed()`
try:
    session.send(...)
except MailError as error:
    pace.heard(error)
"""

import time

from webapp.lib.phrases import Phrase, phrase
from webapp.mail.failures import MailError
from webapp.models import MailPace

READ_EVERY = 1.0  # seconds, in each process
PAUSE = 60.0  # seconds, at least, for which mail to many rests: then a minute's worth of it may go at once

_SLOWED = phrase("mail.slowed", "The mail server asks us to slow down: sending about {number} a minute.")


class _Known:
    """What this process has read of the pace."""

    def __init__(self) -> None:
        self.pace: MailPace | None = None
        self.read_at = -READ_EVERY  # by time.monotonic()


_known = _Known()


def seconds_to_wait() -> float:
    """How long a mail to many has to wait; 0 if it may go now, and then its turn is taken.

    One query a second while there is no limit, and one write for each mail while there is.
    """
    if time.monotonic() >= _known.read_at + READ_EVERY:
        _known.pace, _known.read_at = MailPace.current(), time.monotonic()
    seconds = _known.pace.take_turn() if _known.pace else 0.0
    return max(PAUSE, seconds) if seconds else 0.0


def slowed() -> Phrase:
    """How fast mail to many goes, for people; after `seconds_to_wait` has said that it has to wait."""
    return _SLOWED(number=max(1, round(_known.pace.rate)) if _known.pace else 1)


def heard(error: MailError) -> bool:
    """Heed what the mail server has said; returns whether it asks for less. One write then, to be committed."""
    if error.is_throttling:
        MailPace.slow_down()
        _known.read_at = -READ_EVERY
    return error.is_throttling
