"""The forms for registering and for signing in."""

from flask_wtf import FlaskForm
from wtforms import EmailField, Field, PasswordField, StringField
from wtforms.validators import InputRequired, ValidationError

from webapp.lib.normalization import clean
from webapp.models.usernames import username_key
from webapp.web.forms.fields import EMAIL_VALIDATORS, password_hint, password_validators, refuse_obvious_password

USERNAME_RULE = "2 to 30 letters (a to z), digits, dots, dashes, or underscores, starting with a letter or digit."


class RegisterForm(FlaskForm):
    """A new account."""

    username = StringField(
        "Username",
        [InputRequired("Choose a username.")],
        filters=[clean],
        description=USERNAME_RULE,
    )
    email = EmailField("Email", EMAIL_VALIDATORS, filters=[clean])
    password = PasswordField("Password", password_validators(), description=password_hint())

    def validate_username(self, field: Field) -> None:
        """Checks the name in its normalized form."""
        if not username_key(field.data):
            raise ValidationError(USERNAME_RULE)

    def validate_password(self, field: Field) -> None:
        """Refuses what anybody would try first."""
        refuse_obvious_password(field, self.username.data or "", self.email.data or "")


class LoginForm(FlaskForm):
    """The name and password of an account."""

    username = StringField("Username", [InputRequired("Enter your username.")], filters=[clean])
    password = PasswordField("Password", [InputRequired("Enter your password.")])
