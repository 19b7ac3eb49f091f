"""The forms for a forgotten password: the address to be mailed, and the new one."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, Field, PasswordField
from wtforms.validators import DataRequired

from webapp.lib.normalization import clean
from webapp.models import User
from webapp.web.forms.fields import EMAIL_VALIDATORS, password_hint, password_validators, refuse_obvious_password


class ForgottenPasswordForm(FlaskForm):
    """The address of an account."""

    email = EmailField("Email", [DataRequired("Enter your email address."), *EMAIL_VALIDATORS], filters=[clean])


class NewPasswordForm(FlaskForm):
    """The new password of an account."""

    password = PasswordField("New password", password_validators())

    def __init__(self, user: User, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        self.password.description = password_hint(user)

    def validate_password(self, field: Field) -> None:
        """Refuses what anybody would try first."""
        refuse_obvious_password(field, self.user.username, user=self.user)
