"""Validators and fields that several forms share."""

from typing import Any

from flask_wtf.file import FileField, MultipleFileField
from wtforms import Field
from wtforms.validators import Email, InputRequired, Length, Optional, StopValidation, ValidationError

from tasks.engine import Upload
from webapp.lib.i18n import number
from webapp.lib.normalization import compatible, is_blank
from webapp.models.passwords import PASSWORD_LENGTH
from webapp.models.usernames import username_key


class WithinLength(Length):
    """A length check that ends a field's validation, so that no pattern runs over a text that is far too long."""

    def __call__(self, form: Any, field: Field) -> None:
        """Raises StopValidation, in words."""
        try:
            super().__call__(form, field)
        except ValidationError as error:
            raise StopValidation(str(error)) from error


EMAIL_VALIDATORS = [
    Optional(strip_whitespace=True),
    WithinLength(max=254, message="That email address is too long."),
    Email("Enter a valid email address.", allow_smtputf8=False),  # few mail servers take letters like ü before the @
]


def password_validators() -> list[Any]:
    """Fresh validators for a field in which somebody chooses a password."""
    low, high = PASSWORD_LENGTH
    words = f"Use {low} to {high} characters."
    return [InputRequired("Choose a password."), WithinLength(low, high, words)]


def refuse_obvious_password(field: Field, username: str) -> None:
    """Raises ValidationError for a blank password, and for the user name in any spelling."""
    if is_blank(field.data):
        raise ValidationError("Use at least one visible character.")
    if compatible(field.data).lower() == username_key(username):
        raise ValidationError("Your password can’t be your username.")


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
