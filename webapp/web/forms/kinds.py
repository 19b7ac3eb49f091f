"""Forms of a kind of tasks at the desk: until when it is paused and why, and its limits."""

from datetime import datetime, time, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, FloatField, IntegerField, SelectChoice, SelectField
from wtforms.validators import Optional, ValidationError

from tasks.engine.models.kind_control import FASTEST, LONGEST_PAUSE, MOST_RUNNING, SLOWEST, KindControl
from webapp.lib.i18n import number
from webapp.lib.times import from_local, local, utcnow
from webapp.web.forms.desk import ReasonForm
from webapp.web.forms.moments import MomentField

AT = "at"
TOMORROW = "tomorrow"
_FOR = {
    "15m": ("15 minutes", timedelta(minutes=15)),
    "1h": ("1 hour", timedelta(hours=1)),
    "4h": ("4 hours", timedelta(hours=4)),
}
_MORNING = time(9)


class PauseForm(ReasonForm):
    """A pause: for how long, why, and whether what runs is to pause, too. Times are those of `zone`.

    What runs of an `internal` kind goes on: nobody would see that it stays paused, to resume it.
    """

    length = SelectField(
        "Pause for",
        choices=[
            *(SelectChoice(value, words) for value, (words, _) in _FOR.items()),
            SelectChoice(TOMORROW, "Until tomorrow, 09:00"),
            SelectChoice(AT, "Until the time below"),
        ],
        validate_choice=False,
        default="1h",
    )
    until = MomentField("Until")
    stop_running = BooleanField("Also pause running tasks")

    def __init__(self, zone: str, *, internal: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = self.until.zone = zone
        if internal:
            del self.stop_running

    def validate_length(self, field: Field) -> None:
        """Requires one of those that there are."""
        if field.data not in {*_FOR, TOMORROW, AT}:
            raise ValidationError("Choose one of these.")

    def validate_until(self, field: Field) -> None:
        """Requires a time where that is chosen, and one that a pause can have."""
        if self.length.data != AT:
            return
        if field.data is None:
            raise ValidationError("Enter a date and time.")
        if not utcnow() < field.data <= utcnow() + LONGEST_PAUSE:
            raise ValidationError(f"Choose a time in the next {LONGEST_PAUSE.days} days.")

    @property
    def stops_running(self) -> bool:
        """Whether what runs is to pause."""
        return "stop_running" in self and bool(self.stop_running.data)

    @property
    def ends_at(self) -> datetime:
        """When the pause ends, in naive UTC. Only for a valid form."""
        if self.length.data == AT and (chosen := self.until.data):
            return chosen
        if self.length.data == TOMORROW:
            day = local(utcnow(), self.zone).date() + timedelta(days=1)
            return from_local(datetime.combine(day, _MORNING), self.zone)
        return utcnow() + _FOR[self.length.data][1]


class LimitsForm(FlaskForm):
    """The limits of a kind; what is empty is none."""

    running = IntegerField("Running at once", [Optional()])
    per_person = IntegerField("Running at once, per person", [Optional()])
    per_second = FloatField("Starts per second", [Optional()])

    @classmethod
    def of(cls, control: KindControl | None) -> "LimitsForm":
        """The form with the limits that the kind has."""
        if control is None:
            return cls(formdata=None)
        limits = {"running": control.max_running, "per_person": control.max_running_per_person}
        return cls(formdata=None, data=limits | {"per_second": control.max_starts_per_second})

    def validate_running(self, field: Field) -> None:
        """Requires a number that a limit can be."""
        _demand(field, 1, MOST_RUNNING)

    def validate_per_person(self, field: Field) -> None:
        """Requires a number that a limit can be."""
        _demand(field, 1, MOST_RUNNING)

    def validate_per_second(self, field: Field) -> None:
        """Requires a number that a limit can be."""
        _demand(field, SLOWEST, FASTEST)


def _demand(field: Field, low: float, high: float) -> None:
    if field.data is None or not low <= field.data <= high:  # not a number is in no range
        field.errors = []  # WTForms reports it in its own words
        raise ValidationError(f"Enter a number from {number(low)} to {number(high)}, or nothing for no limit.")
