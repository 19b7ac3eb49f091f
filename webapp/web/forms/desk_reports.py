"""The forms of the desk about reports and suppressed addresses."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, Form, SearchField, SelectChoice, SelectField
from wtforms.validators import ValidationError

from webapp.lib.complete import complete
from webapp.lib.normalization import clean
from webapp.mail.addresses import bare_address, check_address
from webapp.models.report import Verdict

VERDICTS = complete(
    "VERDICTS",
    Verdict,
    {
        Verdict.FINE: "Nothing wrong",
        Verdict.DELETED: "Deleted",
        Verdict.HANDLED: "Handled otherwise",
    },
)


class VerdictForm(FlaskForm):
    """What came of a report: one of its buttons."""

    verdict = SelectField("Outcome", choices=[SelectChoice(each.value, words) for each, words in VERDICTS.items()])


class AddressForm(Form):
    """One address that is looked for, exactly; validated as it is made."""

    q = SearchField("Address", filters=[lambda text: (clean(text) or "").strip()])

    def __init__(self, formdata: Any) -> None:
        super().__init__(formdata)
        self.address = ""
        self.validate()

    def validate_q(self, field: Field) -> None:
        """Requires an address, if there is anything."""
        if field.data:
            self.address, problem = check_address(bare_address(field.data))
            if problem:
                raise ValidationError(problem)
