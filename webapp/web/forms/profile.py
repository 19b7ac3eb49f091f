"""The forms by which somebody is known to others: their name and their picture."""

from flask import current_app
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import InputRequired, ValidationError

from tasks.lib.profile_pictures import may_be_picture
from webapp.lib.i18n import number
from webapp.lib.normalization import clean
from webapp.models.usernames import username_key
from webapp.web.forms.accounts import USERNAME_RULE
from webapp.web.forms.fields import UploadField
from webapp.web.request_guard import MEGABYTE

MOST_BYTES = 5 * MEGABYTE
KINDS = "JPEG, PNG, WebP, or GIF"


class UsernameForm(FlaskForm):
    """Another user name, by the rules of a first one."""

    username = StringField(
        "Username", [InputRequired("Choose a username.")], filters=[clean], description=USERNAME_RULE
    )

    def validate_username(self, field: Field) -> None:
        """Checks the name in its normalized form."""
        if not username_key(field.data):
            raise ValidationError(USERNAME_RULE)


def largest_picture() -> int:
    """How large a file may be, in bytes."""
    return min(MOST_BYTES, int(current_app.config["SETTINGS"].max_upload))


def picture_hint() -> str:
    """Which files may be chosen."""
    return f"{KINDS}, up to {number(largest_picture() / MEGABYTE)} MB. We show the middle of it, as a circle."


class PictureForm(FlaskForm):
    """A file to make a profile picture of."""

    picture = UploadField("Choose a picture")

    def validate_picture(self, field: Field) -> None:
        """Refuses what is too large, and what does not even begin like a picture; nothing opens it here."""
        if field.data is None:
            raise ValidationError("Choose a picture.")
        if field.data.size > largest_picture():
            most = number(largest_picture() / MEGABYTE)
            raise ValidationError(f"That file is too large. The limit is {most} MB.")
        if not field.data.size:
            raise ValidationError("That file is empty.")
        if not may_be_picture(field.data.open().read(16)):
            raise ValidationError(f"That’s not a picture we can use. Choose a {KINDS} file.")
