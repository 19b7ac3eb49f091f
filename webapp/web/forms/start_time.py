"""StartTimeField: when something is to start, in the local time of the person who says so."""

from datetime import timedelta
from typing import Any

from wtforms.validators import StopValidation

from webapp.lib.times import utcnow
from webapp.web.forms.moments import NO_MOMENT, MomentField

LATEST = timedelta(days=366)


class StartTimeField(MomentField):
    """A moment in the future, at most LATEST ahead."""

    def pre_validate(self, _: Any) -> None:
        """Accepts an empty field, which needs no further validation; anything else must be one such moment."""
        raise StopValidation("" if self.is_blank else self._problem())

    def _problem(self) -> str:
        wall, moment = self._wall, self.data
        if wall is None:
            return NO_MOMENT
        if wall < utcnow() - LATEST or (moment and moment < utcnow()):
            return "Choose a time in the future."
        if moment is None or moment > utcnow() + LATEST:
            return "Choose a time within the next year."
        return super()._problem()
