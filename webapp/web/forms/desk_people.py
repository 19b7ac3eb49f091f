"""The forms of the desk about people: looking for them, a role, a quota."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, IntegerField, SearchField, SelectChoice, SelectField
from wtforms import Form as PlainForm
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from webapp.lib.complete import complete
from webapp.lib.normalization import clean
from webapp.lib.quota_variables import LARGEST, PERSONAL, Quota
from webapp.models.people_list import Show
from webapp.models.permissions import Role
from webapp.web.forms.desk import ReasonForm

NO_ROLE = "none"
LONGEST_QUERY = 254  # characters, of an address
SHOWN = complete(
    "SHOWN",
    Show,
    {
        Show.NEWEST: "Newest",
        Show.BUSIEST: "Most active tasks",
        Show.STAFF: "With a role",
        Show.SUSPENDED: "Suspended",
    },
)
QUOTA_LABELS = complete(
    "QUOTA_LABELS",
    PERSONAL,
    {
        Quota.ACTIVE_TASKS: "Active tasks",
        Quota.LAUNCHES: "Tasks started per minute",
        Quota.STORAGE: "Storage, MB",
        Quota.IMPORT_ROWS: "Rows of an imported file",
        Quota.EXPORTS: "Downloads of everything per day",
        Quota.POSTS: "Posts per minute",
        Quota.MESSAGES: "Messages per minute",
        Quota.PEOPLE_MESSAGED: "New people written to per day",
        Quota.REPORTS: "Reports per day",
        Quota.TOKENS: "API tokens",
        Quota.API_READS: "API reads per minute",
        Quota.API_WRITES: "API changes per minute",
        Quota.API_LAUNCHES: "API starts per minute",
    },
)


class PeopleForm(PlainForm):
    """Who is looked for, or else which people are listed; validated as it is made."""

    q = SearchField(
        "Name, address, or number",
        [Length(max=LONGEST_QUERY, message=f"Search for at most {LONGEST_QUERY} characters.")],
        filters=[lambda text: (clean(text) or "").strip()],
    )
    show = SelectField(
        "Show", choices=[SelectChoice(show.value, label) for show, label in SHOWN.items()], default=Show.NEWEST.value
    )

    def __init__(self, formdata: Any) -> None:
        super().__init__(formdata)
        self.validate()

    @property
    def arguments(self) -> dict[str, Any]:
        """What is filled in, for the address of the next page."""
        return {name: text for name, text in (("q", self.q.data), ("show", self.show.data)) if text}


class RoleForm(FlaskForm):
    """A role, or none."""

    role = SelectField("Role", choices=[SelectChoice(NO_ROLE, "None"), *(SelectChoice(r.value, r.value) for r in Role)])

    @property
    def chosen(self) -> Role | None:
        """The role of a valid form."""
        return None if self.role.data == NO_ROLE else Role(self.role.data)


class QuotaForm(ReasonForm):
    """Another quota for one person than for everybody, or everybody's again."""

    missing = "Say why: it’s kept with the limit."
    quota = SelectField(
        "Quota", [InputRequired()], choices=[SelectChoice(quota.value, QUOTA_LABELS[quota]) for quota in PERSONAL]
    )
    most = IntegerField(
        "Limit",
        [Optional(), NumberRange(0, LARGEST, f"Choose a number from 0 to {LARGEST:,}.")],
        description="0 is unlimited. Empty is what everybody has.",
    )
    days = IntegerField(
        "Days",
        [Optional(), NumberRange(1, 3650, "Choose 1 to 3,650 days.")],
        description="Empty is for good.",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason.id = "quota-reason"  # the page has another form with a reason

    def validate_most(self, field: Field) -> None:
        """Words of ours where it is no number."""
        if field.raw_data and field.raw_data[0].strip() and field.data is None:
            field.errors = []
            raise ValidationError("Enter a whole number.")

    validate_days = validate_most
