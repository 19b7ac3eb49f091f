"""The news of a minute: which site alerts have fired and which have cleared, and what a notification says of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from webapp.lib.phrases import Phrase, phrase
from webapp.models.notification_kinds import SITE_ALERT

SEVERAL = phrase("site_alert.several", "{number} alert fires", plural="{number} alerts fire")
CLEARED = phrase("site_alert.cleared", "Cleared after {lasted:estimate}: {subject}")
SEVERAL_CLEARED = phrase("site_alert.several_cleared", "{number} alert cleared", plural="{number} alerts cleared")
STILL = phrase(
    "site_alert.still", "{cleared}. {number} alert still fires", plural="{cleared}. {number} alerts still fire"
)
BOTH = phrase("site_alert.both", "{fired}. {cleared}")


@dataclass(frozen=True)
class Cleared:
    """What was wrong, and for how long in all."""

    words: Phrase
    lasted: timedelta


@dataclass(frozen=True)
class News:
    """What is to be told of a minute; false where nothing is."""

    fired: list[Phrase] = field(default_factory=list)
    cleared: list[Cleared] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fired or self.cleared)

    def words(self, firing: int) -> Phrase:
        """What one notification says of all of it, while so many alerts fire."""
        if not self.fired:
            cleared = self._cleared_words()
            return STILL(cleared=cleared, number=firing) if firing else cleared
        fired = SITE_ALERT.phrase(self.fired[0] if len(self.fired) == 1 else SEVERAL(number=len(self.fired)))
        return BOTH(fired=fired, cleared=self._cleared_words()) if self.cleared else fired

    def _cleared_words(self) -> Phrase:
        several: Sequence[Cleared] = self.cleared
        if len(several) > 1:
            return SEVERAL_CLEARED(number=len(several))
        return CLEARED(subject=several[0].words, lasted=several[0].lasted.total_seconds())
