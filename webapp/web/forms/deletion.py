"""The form by which somebody has their account deleted."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField, ValidationError

from webapp.lib.normalization import clean
from webapp.models import User, username_key


class DeletionForm(FlaskForm):
    """Their own user name, typed however they would sign in with it."""

    username = StringField("Your username", filters=[clean])

    def __init__(self, user: User, **options: Any) -> None:
        self.user = user
        super().__init__(**options)

    def validate_username(self, field: Field) -> None:
        """Requires the name of the account, so that nobody deletes one by a slip, or another than they think."""
        if not field.data:
            raise ValidationError("Type your username to confirm.")
        if username_key(field.data) != self.user.username_key:
            raise ValidationError("That’s not the username of this account.")
