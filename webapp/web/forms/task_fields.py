"""The form fields of task parameters: one class for each kind of field that the table of parameter types names."""

from collections.abc import Sequence
from typing import Any, Final

from wtforms import BooleanField, Field, SelectChoice, SelectField, SelectMultipleField
from wtforms.widgets import (
    CheckboxInput,
    DateInput,
    ListWidget,
    NumberInput,
    PasswordInput,
    TextArea,
    TextInput,
    TimeInput,
)

from tasks.engine.parameters.parameter import Parameter
from webapp.web.forms.fields import UploadField, UploadsField
from webapp.web.forms.moments import MomentField

UNCHOSEN: Final = "Choose one"
NONE: Final = "Not specified"


class OfParameter:
    """A field of a task's parameter. `data` is its value; what cannot be read stays the text that was typed."""

    def __init__(self, *args: Any, parameter: Parameter, **kwargs: Any) -> None:
        self.parameter = parameter
        super().__init__(*args, **kwargs)

    def belong_to(self, owner: Any) -> None:
        """Hear who fills in the form, before anything is shown or validated."""
        self.owner = owner

    @property
    def problem(self) -> str | None:
        """What is wrong with what was entered, in words, or None."""
        return self.parameter.problem(self.data, self.owner)  # type: ignore[attr-defined]

    @property
    def hint(self) -> str:
        """What to know before filling it in."""
        return self.parameter.hint


class TypedField(OfParameter, Field):
    """What is typed into one input. What was typed stays there, whether or not it is valid."""

    widget = TextInput()
    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        if valuelist:
            self.data = self.parameter.parse(valuelist[0])

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.parameter.type.text(self.data)


class TextField(TypedField):
    """A text in one line, in whichever direction it is written."""

    def __init__(self, *args: Any, render_kw: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, render_kw={"dir": "auto"} | render_kw, **kwargs)


class TextAreaField(TextField):
    """A text with lines."""

    widget = TextArea()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed; browsers send two characters for the end of a line."""
        super().process_formdata([typed.replace("\r\n", "\n") for typed in valuelist])


class LinesField(TextField):
    """A list, one a line. Blank lines do not count."""

    widget = TextArea()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read each line."""
        if valuelist:
            lines = (line.strip() for line in valuelist[0].splitlines())
            self.data = [self.parameter.parse(line) for line in lines if line]

    def _value(self) -> str:
        typed = self.raw_data[0] if self.raw_data else None
        return str(typed or "\n".join(map(self.parameter.type.text, self.data or ())))


class WholeNumberField(TypedField):
    """A whole number."""

    widget = NumberInput()


class DecimalField(TypedField):
    """A number with a fraction. No number field of a browser: that might round it, and keeps nothing that is wrong."""

    def __init__(self, *args: Any, render_kw: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, render_kw={"inputmode": "decimal"} | render_kw, **kwargs)


class DateField(TypedField):
    """A day."""

    widget = DateInput()


class TimeField(TypedField):
    """A time of day."""

    widget = TimeInput()


class SecretField(TypedField):
    """A password, which no page ever has."""

    widget = PasswordInput(hide_value=True)

    def __init__(self, *args: Any, render_kw: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, render_kw={"autocomplete": "off"} | render_kw, **kwargs)

    def _value(self) -> str:
        return ""


class DateTimeField(OfParameter, MomentField):
    """A moment, in the owner's time zone."""

    def belong_to(self, owner: Any) -> None:
        """Take the time zone from who fills in the form."""
        super().belong_to(owner)
        self.zone = owner.time_zone

    @property
    def hint(self) -> str:
        """What to know before filling it in."""
        return " ".join(filter(None, [super().hint, f"Your time zone: {self.zone}."]))


class TickField(OfParameter, BooleanField):
    """Yes or no."""


class ChoiceField(OfParameter, SelectField):
    """One of the choices of a parameter."""

    data: Any

    def __init__(self, *args: Any, parameter: Parameter, **kwargs: Any) -> None:
        options = [("", NONE), *parameter.options] if parameter.optional else parameter.options
        choices = [SelectChoice(text, label) for text, label in options]
        super().__init__(
            *args, parameter=parameter, choices=choices, coerce=self._read, validate_choice=False, **kwargs
        )

    def _read(self, given: Any) -> Any:
        return self.parameter.parse(given) if isinstance(given, str) else given


class ChoicesField(OfParameter, SelectMultipleField):
    """Some of the choices of a parameter, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, *args: Any, parameter: Parameter, **kwargs: Any) -> None:
        choices = [SelectChoice(text, label) for text, label in parameter.options]
        super().__init__(
            *args, parameter=parameter, choices=choices, coerce=self._read, validate_choice=False, **kwargs
        )

    def _read(self, given: Any) -> Any:
        return self.parameter.parse(given) if isinstance(given, str) else given


class OwnField(ChoiceField):
    """One of the owner's own things, as they are now."""

    has_more = False

    def belong_to(self, owner: Any) -> None:
        """Offer what is theirs, and what was chosen before, if it still is."""
        super().belong_to(owner)
        own = self.parameter.own
        assert own is not None
        offered, self.has_more = own.offered(owner)
        known = {value for value, _ in offered}
        chosen = None if self.data is None or self.data in known or self.problem else own.find(owner, self.data)
        options = [*offered, chosen] if chosen else offered
        unchosen = SelectChoice("", NONE if self.parameter.optional else UNCHOSEN)
        self.choices = [unchosen, *(SelectChoice(str(value), label) for value, label in options)]

    @property
    def hint(self) -> str:
        """What to know before choosing."""
        own = self.parameter.own
        return " ".join(filter(None, [super().hint, own.hint if own and self.has_more else ""]))


class FileField(OfParameter, UploadField):
    """A file."""


class FilesField(OfParameter, UploadsField):
    """Several files."""


FIELDS: Final[dict[str, type[Field]]] = {
    "text": TextField,
    "textarea": TextAreaField,
    "lines": LinesField,
    "integer": WholeNumberField,
    "number": DecimalField,
    "decimal": DecimalField,
    "checkbox": TickField,
    "select": ChoiceField,
    "checkboxes": ChoicesField,
    "own": OwnField,
    "date": DateField,
    "time": TimeField,
    "datetime": DateTimeField,
    "password": SecretField,
    "file": FileField,
    "files": FilesField,
}


def field_of(parameter: Parameter, validators: Sequence[Any]) -> Field:
    """The field of a parameter, as a form class has it."""
    attributes: dict[str, Any] = {}
    if parameter.suffixes:
        attributes["accept"] = ",".join(parameter.suffixes)
    if parameter.placeholder:
        attributes["placeholder"] = parameter.placeholder
    if parameter.bounds and parameter.type.limits == "range":  # a browser would cut a text that is too long, silently
        ends = {"min": parameter.bounds.low, "max": parameter.bounds.high}
        attributes |= {name: end for name, end in ends.items() if end is not None}
    return FIELDS[parameter.field](
        parameter=parameter,
        label=parameter.label,
        default=parameter.default,
        validators=validators,
        render_kw=attributes,
    )
