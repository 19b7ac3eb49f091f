"""The form for writing a post."""

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, TextAreaField

from webapp.lib.normalization import clean
from webapp.models.post import POST_LENGTH
from webapp.web.forms.fields import require_text


class PostForm(FlaskForm):
    """A post of 1 to POST_LENGTH characters after trimming."""

    is_repeated = False  # set once its writer has been asked whether they mean to post the same text again
    body = TextAreaField("Write something", filters=[clean])

    def validate_body(self, field: Field) -> None:
        """Checks the length; the error says how long the text is."""
        require_text(field, POST_LENGTH, "post")


class EditPostForm(PostForm):
    """A post with another text; `version` is that of the text which its page has shown, empty if a program sends it."""

    body = TextAreaField("Your post", filters=[clean])
    version = HiddenField()
