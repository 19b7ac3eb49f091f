"""The filter of failures. It is sent by GET, so that the URL says what is shown."""

from typing import Any

from wtforms import Field, Form, SelectChoice, SelectField
from wtforms.validators import ValidationError

from tasks.engine import registry
from webapp.models.failure_list import FailureFilter, Order, Window
from webapp.web.presenters.desk.kind_words import kind_label

EVER = "ever"
_WINDOWS = {Window.HOUR: "In the last hour", Window.DAY: "In the last day", Window.WEEK: "In the last 7 days"}
_ORDERS = {Order.LAST: "Latest first", Order.COUNT: "Most first"}


def _kinds() -> list[SelectChoice]:
    names = sorted(registry.functions, key=kind_label)
    return [SelectChoice("", "Any kind"), *(SelectChoice(name, kind_label(name)) for name in names)]


class FailureFilterForm(Form):
    """Which causes to show, validated as it is made."""

    kind = SelectField("Kind", choices=_kinds, validate_choice=False, default="")
    window = SelectField(
        "Seen",
        choices=[*(SelectChoice(*each) for each in _WINDOWS.items()), SelectChoice(EVER, "Ever")],
        validate_choice=False,
        default=Window.WEEK.value,
    )
    order = SelectField(
        "Order",
        choices=[SelectChoice(*each) for each in _ORDERS.items()],
        validate_choice=False,
        default=Order.LAST.value,
    )

    def __init__(self, formdata: Any) -> None:
        super().__init__(formdata)
        self.validate()

    def validate_kind(self, field: Field) -> None:
        """Requires one of those that this release knows, or none."""
        _demand(field)

    def validate_window(self, field: Field) -> None:
        """Requires one of those that there are."""
        _demand(field)

    def validate_order(self, field: Field) -> None:
        """Requires one of those that there are."""
        _demand(field)

    @property
    def is_narrowed(self) -> bool:
        """Whether it shows other causes than by itself."""
        return bool(self.kind.data or self.window.data != Window.WEEK.value)

    @property
    def filter(self) -> FailureFilter:
        """The filter for the query; of a form that is wrong, the usual one."""
        if self.errors:
            return FailureFilter()
        window = None if self.window.data == EVER else Window(self.window.data)
        return FailureFilter(window, self.kind.data, Order(self.order.data))


def _demand(field: Field) -> None:
    if field.data not in {choice.value for choice in field.iter_choices()}:
        raise ValidationError("Choose one of these.")
