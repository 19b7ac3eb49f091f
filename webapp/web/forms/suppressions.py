"""The form by which somebody enters addresses that their mails are not to go to."""

from functools import cached_property

from flask_wtf import FlaskForm
from wtforms import Field, TextAreaField
from wtforms.validators import ValidationError

from webapp.lib.i18n import number
from webapp.lib.normalization import clean
from webapp.mail.recipients import Recipients, read_recipients
from webapp.models import Suppression
from webapp.web.auth import signed_in_user
from webapp.web.forms.recipient_input import recipients_error

MOST_KEPT = 50_000  # of one person, who unsubscribed included


class SuppressionForm(FlaskForm):
    """Addresses, read as recipients are."""

    addresses = TextAreaField("Add addresses", filters=[clean])

    @cached_property
    def parsed(self) -> Recipients:
        """The addresses in what was typed, and what is wrong with the rest."""
        return read_recipients(self.addresses.data or "")

    def validate_addresses(self, _: Field) -> None:
        """Requires at least one address, that each is one, and that they do not become too many."""
        found = self.parsed
        if not (found.addresses or found.invalid_count):
            raise ValidationError("Add at least one address.")
        if found.invalid:
            first = found.invalid[0]
            raise ValidationError(f"Line {number(first.line)}, “{first.text}”: {first.reason}")
        if problem := recipients_error(found):
            raise ValidationError(problem)
        if Suppression.of(signed_in_user()).count() + len(found.addresses) > MOST_KEPT:
            raise ValidationError(f"Your list can have {number(MOST_KEPT)} addresses. Remove some first.")
