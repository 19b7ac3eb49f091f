"""What an operator says to begin a bulk action: why, and of very many, how many."""

import re
from typing import Any, Final

from wtforms import Field, HiddenField, StringField
from wtforms.validators import ValidationError

from webapp.lib.i18n import number
from webapp.lib.normalization import clean
from webapp.web.forms.desk import ReasonForm

TYPED_ABOVE: Final = 1000  # tasks, of which the number has to be typed
MORE: Final = 1.1  # times as many as were shown, which nobody has agreed to


class BulkForm(ReasonForm):
    """A reason, and above TYPED_ABOVE tasks their number. `shown` is how many the page said.

    `able` is how many there are now: where that is many more, none are begun, and the page says how many.
    """

    shown = HiddenField()
    number = StringField("Number of tasks", filters=[clean])

    def __init__(self, able: int) -> None:
        super().__init__()
        self.able = able
        self.said = int(self.shown.data) if re.fullmatch(r"[0-9]{1,6}", self.shown.data or "") else able
        self.shown.data = str(able)  # what the page says that may follow

    @property
    def is_typed(self) -> bool:
        """Whether the number has to be typed."""
        return self.able > TYPED_ABOVE

    def validate_number(self, field: Field) -> None:
        """Requires the number that was shown, where there are so many."""
        typed = re.sub(r"[\s,.]", "", field.data or "")
        if self.is_typed and typed not in (str(self.said), str(self.able)):
            raise ValidationError(f"Type {number(self.able)} to confirm how many.")

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether it may begin: there may be some more by now than were shown, but not many."""
        is_valid = super().validate(extra_validators)
        if not self.able:
            self.form_errors = ["There are no such tasks anymore."]
        elif self.able > max(self.said * MORE, self.said + 10):
            now, then = number(self.able), number(self.said)
            self.form_errors = [f"By now, these are {now} tasks. The page that you confirmed said {then}."]
        return bool(is_valid) and not self.form_errors
