"""The form of a new API token."""

from datetime import datetime, timedelta
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import Field, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, ValidationError
from wtforms.widgets import CheckboxInput

from webapp.lib.normalization import clean
from webapp.lib.times import utcnow
from webapp.lib.token_text import PREFIX
from webapp.models import User
from webapp.models.api_token import NAME_LENGTH
from webapp.models.scopes import SCOPES, Scope, grantable
from webapp.web.form_recovery import label_options
from webapp.web.forms.fields import WithinLength

DAYS: Final = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "1 year"}
label_options("days", DAYS)
label_options("scopes", {scope: row.label for scope, row in SCOPES.items()})


class TokenForm(FlaskForm):
    """What it is called, what it may do, and for how long."""

    name = StringField(
        "Name",
        [
            DataRequired("Name the token after what will use it."),
            WithinLength(max=NAME_LENGTH, message=f"Use at most {NAME_LENGTH} characters."),
        ],
        filters=[clean],
    )
    scopes = SelectMultipleField(option_widget=CheckboxInput())
    days = SelectField("Expires after", choices=[SelectChoice(*each) for each in DAYS.items()], default="90")

    def __init__(self, user: User, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes.choices = [SelectChoice(scope.value, SCOPES[scope].label) for scope in grantable(user)]

    def validate_name(self, field: Field) -> None:
        """Refuses a token, which would be stored with its text."""
        if PREFIX in field.data:
            raise ValidationError("That’s a token itself. Choose a name for the new one.")

    def validate_scopes(self, field: Field) -> None:
        """Refuses a token that may do nothing."""
        if not field.data:
            raise ValidationError("Choose what the token can do.")

    @property
    def chosen(self) -> list[Scope]:
        """The scopes of a valid form."""
        return [Scope(each) for each in self.scopes.data or []]

    @property
    def expires_at(self) -> datetime:
        """When the token of a valid form expires."""
        return utcnow() + timedelta(days=int(self.days.data))
