"""The forms of a person's settings: their profile, their address and their password."""

from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Field, PasswordField, SelectField, TextAreaField
from wtforms.validators import Length, ValidationError

from webapp.lib.normalization import clean, compatible
from webapp.web.forms.fields import EMAIL_VALIDATORS, password_hint, password_validators, refuse_obvious_password

ABOUT_LENGTH = 500
CONTINENTS = frozenset("Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split())


def _time_zones() -> list[str]:
    """UTC and the zones named after a place. The other names are aliases, or ambiguous abbreviations."""
    return ["UTC", *sorted(name for name in available_timezones() if name.partition("/")[0] in CONTINENTS)]


class ProfileForm(FlaskForm):
    """What others learn about a person, and their time zone."""

    about = TextAreaField(
        "About me",
        [Length(max=ABOUT_LENGTH, message=f"Use at most {ABOUT_LENGTH} characters.")],
        filters=[clean],
    )
    time_zone = SelectField("Time zone", choices=_time_zones())
    hides_seen = BooleanField(
        "Hide when I was last seen",
        description="Your profile then says only when you joined. People you write with still see what you’ve read.",
    )


class EmailForm(FlaskForm):
    """Where somebody wants to be mailed; empty for nowhere."""

    email = EmailField("Email", EMAIL_VALIDATORS, filters=[clean])


class PasswordForm(FlaskForm):
    """A new password. A guest has none yet, so their form has no `current` field; nor has that of who has a second
    factor, as they have just given the password with a code (`second_factor_required`).
    """

    current = PasswordField("Current password")
    password = PasswordField("New password", password_validators())

    def __init__(self, user: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        self.password.description = password_hint(user)
        if user.is_guest or user.has_second_factor:
            del self.current

    def validate_password(self, field: Field) -> None:
        """Refuses what anybody would try first, and what is no change."""
        refuse_obvious_password(field, self.user.username, user=self.user)
        is_right = self.current and not self.current.errors
        if is_right and compatible(field.data) == compatible(self.current.data):
            raise ValidationError("That’s the password you have. Choose another.")

    def validate_current(self, field: Field) -> None:
        """Requires the current password: an unlocked screen must not be enough to take over an account."""
        if not self.user.has_password(field.data or ""):
            raise ValidationError("That’s not your current password.")
