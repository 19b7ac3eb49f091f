"""The filter of the audit. It is sent by GET, so that the URL says what is shown."""

from typing import Any

from wtforms import Field, SelectChoice, SelectField, StringField
from wtforms.validators import Length, ValidationError

from webapp.models import User
from webapp.models.audit import AUDITED, LONGEST_TARGET, Outcome
from webapp.models.audit_list import AuditFilter
from webapp.web.forms.days import DaysForm, cleaned, require_choice
from webapp.web.presenters.desk.audit_entries import VIAS

NOBODY = "Nobody has that name."
TOO_LONG = "Enter at most %(max)d characters."


def _choices(any_of_them: str, words: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice("", any_of_them), *(SelectChoice(value, label) for value, label in words.items())]


class AuditFilterForm(DaysForm):
    """Which entries to show, validated as it is made: two queries for each name."""

    person = StringField("Who", [Length(max=30, message=TOO_LONG)], filters=[cleaned])
    about = StringField("Whose", [Length(max=30, message=TOO_LONG)], filters=[cleaned])
    target = StringField("Target", [Length(max=LONGEST_TARGET, message=TOO_LONG)], filters=[cleaned])
    action = SelectField(
        "Action",
        [require_choice],
        choices=_choices("Any action", {action.value: row.words for action, row in AUDITED.items()}),
        validate_choice=False,
        default="",
    )
    outcome = SelectField(
        "Outcome",
        [require_choice],
        choices=_choices("Any outcome", {Outcome.DONE: "Done", Outcome.REFUSED: "Refused"}),
        validate_choice=False,
        default="",
    )
    via = SelectField(
        "By way of",
        [require_choice],
        choices=_choices("Any way", {via.value: words[0].upper() + words[1:] for via, words in VIAS.items()}),
        validate_choice=False,
        default="",
    )

    def __init__(self, formdata: Any, zone: str) -> None:
        self.zone, self._people = zone, dict[str, int]()
        super().__init__(formdata)
        self.validate()

    def validate_person(self, field: Field) -> None:
        """Requires the name of an account."""
        self._find(field)

    def validate_about(self, field: Field) -> None:
        """Requires the name of an account."""
        self._find(field)

    def _find(self, field: Field) -> None:
        if not field.data or field.errors:
            return
        user = User.by_any_name(field.data)
        if user is None:
            raise ValidationError(NOBODY)
        self._people[field.name] = user.id

    @property
    def filter(self) -> AuditFilter:
        """The filter for the query. Only for a valid form."""
        return AuditFilter(
            target=self.target.data,
            about=self._people.get("about"),
            actor=self._people.get("person"),
            action=self.action.data,
            outcome=self.outcome.data,
            via=self.via.data,
            since=self.starts_at,
            until=self.ends_at,
        )

    @property
    def arguments(self) -> dict[str, str]:
        """The fields that are filled in, as query arguments for the URL of another page of this."""
        sent = {field.name: cleaned(field.raw_data[0] if field.raw_data else "") for field in self}
        return {name: text for name, text in sent.items() if text}
