"""Fields into which people type, and those for files."""

from typing import Any

from wtforms import Field
from wtforms.widgets import DateInput, NumberInput, PasswordInput, TextArea, TextInput, TimeInput

from webapp.web.forms.fields import UploadField, UploadsField
from webapp.web.forms.moments import MomentField
from webapp.web.forms.task_fields.base import OfParameter


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
    """A password, which no page ever has. Browsers must not fill in the one of this site, and ignore "off" here."""

    widget = PasswordInput(hide_value=True)

    def __init__(self, *args: Any, render_kw: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, render_kw={"autocomplete": "new-password"} | render_kw, **kwargs)

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


class FileField(OfParameter, UploadField):
    """A file."""


class FilesField(OfParameter, UploadsField):
    """Several files."""
