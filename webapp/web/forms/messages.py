"""The form for writing a private message."""

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, TextAreaField

from webapp.lib.normalization import clean
from webapp.models.message_row import MESSAGE_LENGTH
from webapp.web.forms.fields import require_text


class MessageForm(FlaskForm):
    """A message of 1 to MESSAGE_LENGTH characters after trimming."""

    is_repeated = False  # set once its writer has been asked whether they mean to send the same text again
    body = TextAreaField("Your message", filters=[clean])

    def validate_body(self, field: Field) -> None:
        """Checks the length; the error says how long the text is."""
        require_text(field, MESSAGE_LENGTH, "message")


class EditMessageForm(MessageForm):
    """A message with another text; `version` is that of the text which its page has shown."""

    version = HiddenField()
