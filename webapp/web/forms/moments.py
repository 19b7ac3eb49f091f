"""MomentField: a date and time, in the local time of the person who enters it."""

from datetime import datetime, timedelta
from typing import Any

from wtforms import Field
from wtforms.validators import StopValidation
from wtforms.widgets import DateTimeLocalInput

from webapp.lib.times import clocks_change, from_local, local, offset_words

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f")
BEFORE, AFTER = "before", "after"  # the clocks go back
NO_MOMENT = "Enter a date and time."


class MomentField(Field):
    """A moment. `data` is naive UTC, or None if the text is not a time.

    It is entered and shown in the time zone `zone`, which the form sets. For an hour that comes twice when clocks go
    back, a second value of the same name, BEFORE or AFTER, says which one is meant. An hour that is skipped when clocks
    go forward is refused.
    """

    widget = DateTimeLocalInput()
    zone = "UTC"

    def process_data(self, value: datetime | None) -> None:
        """Take a default in naive UTC."""
        self._given = value

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take the local time, and which of two equal ones is meant."""
        self._typed, self._which = (*valuelist, "", "")[:2]

    @property
    def data(self) -> datetime | None:
        """Naive UTC; None if nothing valid was entered."""
        if not self.raw_data:
            return self._given
        try:
            return from_local(self._wall, self.zone, again=self._which == AFTER) if self._wall else None
        except OverflowError:  # in UTC that would be before the first day of the calendar, or after its last
            return None

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """For an hour that comes twice, both: value, label, and whether it is selected. Otherwise empty."""
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
        """The local time without a zone; None if it is not a time."""
        if not self.raw_data:
            try:
                return local(self._given, self.zone).replace(tzinfo=None) if self._given else None
            except OverflowError:  # it was entered in another zone, at the edge of the calendar
                return None
        for form in FORMATS:
            try:
                return datetime.strptime(self._typed, form)
            except ValueError:
                continue
        return None

    def _value(self) -> str:
        """The text of the input, with seconds only if there are any."""
        if self.raw_data:
            return str(self._typed)
        wall = self._wall
        if wall is None:
            return ""
        return wall.isoformat(timespec="milliseconds" if wall.microsecond else "seconds" if wall.second else "minutes")

    @property
    def is_blank(self) -> bool:
        """Whether nothing was entered."""
        return not (self.raw_data and self._typed.strip())

    def pre_validate(self, _: Any) -> None:
        """Accepts an empty field; anything else must be one moment."""
        if words := "" if self.is_blank else self._problem():
            raise StopValidation(words)

    def _problem(self) -> str:
        wall, moment = self._wall, self.data
        if wall is None or moment is None:
            return NO_MOMENT
        if clocks_change(wall, self.zone) > timedelta(0):
            like = local(moment, self.zone)
            return f"Clocks go forward that day, past {wall:%H:%M}. Choose another time, such as {like:%H:%M}."
        if self.choices and self._which not in (BEFORE, AFTER):
            return f"Clocks go back that day, so {wall:%H:%M} comes twice. Choose which one you mean."
        return ""
