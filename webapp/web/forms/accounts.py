"""The forms for registering and for signing in."""

from flask_wtf import FlaskForm
from wtforms import EmailField, Field, PasswordField, StringField
from wtforms.validators import InputRequired, ValidationError

from webapp.lib.texts import clean
from webapp.models.user import username_key
from webapp.web.forms.fields import EMAIL_VALIDATORS, password_validators, refuse_obvious_password

USERNAME_RULE = "2 to 30 letters from a to z, digits, dots, dashes or underscores; the first is a letter or a digit."


class RegisterForm(FlaskForm):
    """A new account."""

    username = StringField(
        "User name",
        [InputRequired("Choose a user name.")],
        filters=[clean],
        description=USERNAME_RULE,
    )
    email = EmailField("E-mail", EMAIL_VALIDATORS, filters=[clean])
    password = PasswordField("Password", password_validators())

    def validate_username(self, field: Field) -> None:
        """Checks the name in its normalized form."""
        if not username_key(field.data):
            raise ValidationError(USERNAME_RULE)

    def validate_password(self, field: Field) -> None:
        """Refuses what anybody would try first."""
        refuse_obvious_password(field, self.username.data or "")


class LoginForm(FlaskForm):
    """The name and password of an account."""

    username = StringField("User name", [InputRequired("Enter your user name.")], filters=[clean])
    password = PasswordField("Password", [InputRequired("Enter your password.")])
