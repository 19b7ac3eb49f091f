"""The filter of the schedule. It is sent by GET, so that the URL says what is shown."""

from typing import Any

from wtforms import Field, Form, SelectChoice, SelectField, StringField
from wtforms.validators import Length, ValidationError

from tasks.catalogue import CATALOGUE
from webapp.models import User
from webapp.web.forms.audit import NOBODY, TOO_LONG
from webapp.web.forms.days import cleaned, require_choice


def _kinds() -> list[SelectChoice]:
    return [SelectChoice("", "Any kind"), *(SelectChoice(name, name) for name in sorted(CATALOGUE))]


class ScheduleFilterForm(Form):
    """Whose tasks and of which kind, validated as it is made: two queries for a name."""

    kind = SelectField("Kind", [require_choice], choices=_kinds(), validate_choice=False, default="")
    owner = StringField("Owner", [Length(max=30, message=TOO_LONG)], filters=[cleaned])
    owner_id: int | None = None

    def __init__(self, formdata: Any) -> None:
        super().__init__(formdata)
        self.validate()

    def validate_owner(self, field: Field) -> None:
        """Requires the name of an account."""
        if not field.data or field.errors:
            return
        user = User.by_any_name(field.data)
        if user is None:
            raise ValidationError(NOBODY)
        self.owner_id = user.id

    @property
    def arguments(self) -> dict[str, str]:
        """The fields that are filled in, as query arguments for the URL of another page of this."""
        sent = {field.name: cleaned(field.raw_data[0] if field.raw_data else "") for field in self}
        return {name: text for name, text in sent.items() if text}
