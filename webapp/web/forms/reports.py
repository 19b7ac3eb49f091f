"""The form for reporting what somebody else wrote."""

from flask_wtf import FlaskForm
from wtforms import Field, RadioField, SelectChoice, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from webapp.lib.i18n import number
from webapp.lib.normalization import clean
from webapp.models.report import WORDS_LENGTH, Reason
from webapp.web.form_recovery import label_options

LABELS = {
    Reason.SPAM: "Spam",
    Reason.HARASSMENT: "Harassment or threats",
    Reason.ILLEGAL: "Something illegal",
    Reason.OTHER: "Something else",
}
label_options("reason", {reason.value: label for reason, label in LABELS.items()})


class ReportForm(FlaskForm):
    """A reason, and WORDS_LENGTH characters at most of what its writer has to say."""

    reason = RadioField(
        "What’s wrong with it?",
        [InputRequired("Choose a reason.")],
        choices=[SelectChoice(reason.value, LABELS[reason]) for reason in Reason],
        validate_choice=False,
    )
    words = TextAreaField("Anything to add? (optional)", filters=[clean])

    def validate_reason(self, field: Field) -> None:
        """Requires one of the reasons."""
        if field.data not in set(Reason):
            raise ValidationError("Choose a reason.")

    def validate_words(self, field: Field) -> None:
        """Checks the length; the error says how long the text is."""
        if len(field.data or "") > WORDS_LENGTH:
            length, most = number(len(field.data)), number(WORDS_LENGTH)
            raise ValidationError(f"Your text has {length} characters. The limit is {most}.")
