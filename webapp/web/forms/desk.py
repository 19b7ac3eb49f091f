"""What forms of the desk share: the reason for what is done to somebody else's."""

from typing import ClassVar

from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import ValidationError

from tasks.engine.models.actor import LONGEST_REASON
from webapp.lib.i18n import number
from webapp.lib.normalization import clean


class ReasonForm(FlaskForm):
    """A press that needs a reason, which whoever it is about reads; LONGEST_REASON characters at most."""

    reason = StringField("Reason (required)", filters=[clean])

    missing: ClassVar[str] = "Say why: its owner reads it."  # what is wrong where there is none; empty if nothing is

    def validate_reason(self, field: Field) -> None:
        """Requires one; the error of one too long says how long it is."""
        if self.missing and not (field.data or "").strip():
            raise ValidationError(self.missing)
        field.data = field.data or ""
        if len(field.data) > LONGEST_REASON:
            raise ValidationError(
                f"Your reason has {number(len(field.data))} characters. The limit is {LONGEST_REASON}."
            )


class FreeReasonForm(ReasonForm):
    """The same where the audit alone has the reason, and so it may be left out."""

    reason = StringField("Reason", filters=[clean])
    missing = ""
