"""StartTimeField: when something is to start, in the local time of the person who says so."""

from datetime import datetime, timedelta
from typing import Any

from wtforms.validators import StopValidation

from webapp.lib.times import utcnow
from webapp.web.forms.moments import NO_MOMENT, MomentField

LATEST = timedelta(days=366)
_PAST = "Choose a time in the future."
_TOO_LATE = "Choose a time within the next year."


def start_time_problem(moment: datetime) -> str:
    """Why nothing can be scheduled for a moment (naive UTC), in words; empty if it can. For forms and programs."""
    if moment < utcnow():
        return _PAST
    return _TOO_LATE if moment > utcnow() + LATEST else ""


class StartTimeField(MomentField):
    """A moment in the future, at most LATEST ahead."""

    def pre_validate(self, _: Any) -> None:
        """Accepts an empty field, which needs no further validation; anything else must be one such moment."""
        raise StopValidation("" if self.is_blank else self._problem())

    def _problem(self) -> str:
        wall, moment = self._wall, self.data
        if wall is None:
            return NO_MOMENT
        if moment is None:  # beyond the calendar
            return _PAST if wall < utcnow() else _TOO_LATE
        return start_time_problem(moment) or super()._problem()
