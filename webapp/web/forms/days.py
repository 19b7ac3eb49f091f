"""What filters share: choices from a list, and spans of days in somebody's time zone."""

from datetime import date, datetime, time, timedelta
from typing import Any

from wtforms import DateField, Field, Form
from wtforms.validators import Optional, ValidationError

from webapp.lib.normalization import clean
from webapp.lib.times import from_local


def cleaned(text: str | None) -> str:
    """What was typed into a line, without what surrounds it; a filter of fields."""
    return (clean(text) or "").strip()


def require_choice(_: Form, field: Field) -> None:
    """Raises ValidationError, in words, for what is not in the list."""
    if field.data not in {choice.value for choice in field.choices}:
        raise ValidationError("Choose one from the list.")


class DaysForm(Form):
    """A filter by days, which are those of the time zone `zone`; the first and the last are both included."""

    zone = "UTC"
    since = DateField("From", [Optional()])
    until = DateField("To", [Optional()])

    def validate_since(self, field: Field) -> None:
        """Requires a date."""
        _require_date(field)

    def validate_until(self, field: Field) -> None:
        """Requires a date that is not before the first day."""
        _require_date(field)
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError("“To” can’t be before “From”.")

    @property
    def starts_at(self) -> datetime | None:
        """When the first day begins, naive UTC."""
        return self.since.data and self._start_of(self.since.data)

    @property
    def ends_at(self) -> datetime | None:
        """When the last day is over, naive UTC; None where that is after all days of the calendar."""
        day: Any = self.until.data
        return self._start_of(day + timedelta(days=1)) if day and day < date.max else None

    def _start_of(self, day: date) -> datetime:
        try:
            return from_local(datetime.combine(day, time()), self.zone)
        except OverflowError:  # in UTC that would be before the first day of the calendar, or after its last
            return datetime.combine(day, time())


def _require_date(field: Field) -> None:
    if field.data is None and field.raw_data and field.raw_data[0].strip():
        field.errors = []  # WTForms reports it in its own words
        raise ValidationError("Enter a date like 2026-11-21.")
