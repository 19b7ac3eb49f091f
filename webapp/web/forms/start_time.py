"""MomentField: when something is to start, as a person says it by the clock on their wall."""

from datetime import datetime, timedelta
from typing import Any

from wtforms import Field
from wtforms.validators import StopValidation
from wtforms.widgets import DateTimeLocalInput

from webapp.lib.times import clocks_change, from_local, local, offset_words, utcnow

LATEST = timedelta(days=366)
FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
BEFORE, AFTER = "before", "after"  # the clocks go back


class MomentField(Field):
    """A moment in the future, at most LATEST ahead; `data` is naive UTC, None where what is entered is no time.

    It is read and shown by the clock of `zone`, which the form sets. An hour that comes twice, when clocks go back, is
    asked for by a second value of the same name, BEFORE or AFTER; an hour that no clock shows is refused.
    """

    widget = DateTimeLocalInput()
    zone = "UTC"

    def process_data(self, value: datetime | None) -> None:
        """Take a moment in naive UTC, to be shown."""
        self._given = value

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what the browser sent: what a clock shows, and which time it shows that."""
        self._typed, self._which = (*valuelist, "", "")[:2]

    @property
    def data(self) -> datetime | None:
        """The moment in naive UTC."""
        if not self.raw_data:
            return self._given
        try:
            return from_local(self._wall, self.zone, again=self._which == AFTER) if self._wall else None
        except OverflowError:  # in UTC that would be before the first day of the calendar, or after its last
            return None

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """For an hour that comes twice, the two: value, words, and whether it is the one. Else empty."""
        wall = self._wall
        if wall is None or clocks_change(wall, self.zone) >= timedelta(0):
            return []
        is_after = self._which == AFTER if self.raw_data else bool(wall.fold)
        first, second = (offset_words(local(from_local(wall, self.zone, again), self.zone)) for again in (False, True))
        return [
            (BEFORE, f"{wall:%H:%M}, before the clocks go back ({first})", not is_after),
            (AFTER, f"{wall:%H:%M}, after the clocks go back ({second})", is_after),
        ]

    @property
    def _wall(self) -> datetime | None:
        """What the clock shows then; None if that is no time."""
        if not self.raw_data:
            return local(self._given, self.zone).replace(tzinfo=None) if self._given else None
        for form in FORMATS:
            try:
                return datetime.strptime(self._typed, form)
            except ValueError:
                continue
        return None

    def _value(self) -> str:
        """What stands in the field; with seconds only if there are any."""
        if self.raw_data:
            return str(self._typed)
        wall = self._wall
        return f"{wall:{FORMATS[1 if wall.second else 0]}}" if wall else ""

    def pre_validate(self, _: Any) -> None:
        """Nothing is fine; anything else must be one moment, and one at which something can start."""
        raise StopValidation(self._problem() if self.raw_data and self._typed.strip() else "")

    def _problem(self) -> str:
        wall, moment = self._wall, self.data
        if wall is None:
            return "Enter a date and time."
        if wall < utcnow() - LATEST or (moment and moment < utcnow()):
            return "Choose a time in the future."
        if moment is None or moment > utcnow() + LATEST:
            return "Choose a time within the next year."
        if clocks_change(wall, self.zone) > timedelta(0):
            like = local(moment, self.zone)
            return f"Clocks go forward that day, past {wall:%H:%M}. Choose another time, such as {like:%H:%M}."
        if self.choices and self._which not in (BEFORE, AFTER):
            return f"Clocks go back that day, so {wall:%H:%M} comes twice. Choose which one you mean."
        return ""
