"""Validators and fields that several forms share."""

from typing import Any

from flask import current_app
from flask_wtf.file import FileField, MultipleFileField
from wtforms import Field
from wtforms.validators import Email, InputRequired, Length, Optional, StopValidation, ValidationError

from tasks.engine import Upload
from webapp.lib.i18n import number
from webapp.lib.normalization import compatible, is_blank
from webapp.models import User
from webapp.models.obvious_passwords import why_obvious
from webapp.models.passwords import PASSWORD_LENGTH, min_length
from webapp.models.usernames import username_key


class WithinLength(Length):
    """A length check that ends a field's validation, so that no pattern runs over a text that is far too long."""

    def __call__(self, form: Any, field: Field) -> None:
        """Raises StopValidation, in words."""
        try:
            super().__call__(form, field)
        except ValidationError as error:
            raise StopValidation(str(error)) from error


MAX_EMAIL_LENGTH = 254
EMAIL_VALIDATORS = [
    Optional(strip_whitespace=True),
    WithinLength(max=MAX_EMAIL_LENGTH, message="That email address is too long."),
    Email("Enter a valid email address.", allow_smtputf8=False),  # few mail servers take letters like ü before the @
]


def password_hint(user: User | None = None) -> str:
    """What is said beside a field in which somebody, of an account or of none yet, chooses a password."""
    return f"At least {_min_length(user)} characters, such as a few words that don’t belong together."


def password_validators() -> list[Any]:
    """Fresh validators for a field in which somebody chooses a password; it is of its form's `user`, if that has one.

    They set no `maxlength`, by which browsers cut off what is pasted, and so set another password than was meant.
    """
    return [InputRequired("Choose a password."), _demand_length]


def refuse_obvious_password(field: Field, username: str, email: str = "", *, user: User | None = None) -> None:
    """Raises ValidationError, in words, for a password that somebody who guesses would try first.

    That is a blank or common one, one that repeats itself, and one's own names: those of `user`, if the account is
    there, or else what was typed.
    """
    if is_blank(field.data):
        raise ValidationError("Use at least one visible character.")
    if compatible(field.data).lower() == username_key(username):
        raise ValidationError("Your password can’t be your username.")
    names = (username, user.email if user else email, current_app.config["SETTINGS"].app_name)
    possible = [name for name in names if len(name) <= MAX_EMAIL_LENGTH]  # no longer one is anybody's
    if obvious := why_obvious(field.data, possible, _min_length(user)):
        raise ValidationError(obvious)


def _demand_length(form: Any, field: Field) -> None:
    """Raises StopValidation. Characters count that are there both as typed and as they are hashed.

    So neither a letter that was typed in two pieces counts twice, nor a ligature as several.
    """
    low, high = _min_length(getattr(form, "user", None)), PASSWORD_LENGTH[1]
    typed = len(field.data)
    if typed > high or min(typed, len(compatible(field.data))) < low:
        raise StopValidation(f"Use {low} to {high} characters.")


def _min_length(user: User | None) -> int:
    return min_length(bool(user and user.totp_secret))


def require_text(field: Field, max_length: int, noun: str) -> None:
    """Raises ValidationError for an empty text, and for one too long; the error then says how long it is."""
    text = field.data or ""
    if not text:
        raise ValidationError(f"Write a {noun} first.")
    if len(text) > max_length:
        raise ValidationError(f"Your {noun} has {number(len(text))} characters. The limit is {number(max_length)}.")


class UploadField(FileField):
    """A file field whose `data` is an Upload, or None where no file was chosen."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Wrap the posted file."""
        super().process_formdata(valuelist)
        self.data = Upload(self.data.filename, self.data.stream) if self.data else None


class UploadsField(MultipleFileField):
    """A file field whose `data` is a list of Uploads, empty where no file was chosen."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Wrap the posted files."""
        super().process_formdata(valuelist)
        self.data = [Upload(file.filename, file.stream) for file in self.data or []]
