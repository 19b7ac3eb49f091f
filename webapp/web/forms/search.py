"""What people look for: forms that are sent by GET, so that an address says what is seen."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from wtforms import DateField, Field, Form, SearchField, SelectChoice, SelectField
from wtforms.validators import Length, Optional, ValidationError

from tasks.catalogue import CATALOGUE
from webapp.lib.times import from_local
from webapp.lib.tokenization import QUERY_LENGTH
from webapp.models.search import SearchTooSlow, newest
from webapp.models.task.filter import SEVERAL, TaskFilter
from webapp.web.paging import Page, page, page_of_ids

if TYPE_CHECKING:
    from peewee import ModelSelect

    from webapp.models import User

TOO_LONG = "Search for at most %(max)d characters."
TOO_SLOW = "That search takes too long. Try longer or less common words."
GROUP_WORDS = {
    "": "Any state",
    "waiting": "Waiting",
    "scheduled": "Scheduled",
    "in_progress": "In progress",
    "paused": "Paused",
    "finished": "Finished",
    "failed": "Failed",
    "canceled": "Canceled",
}


def _clean(text: str | None) -> str:
    """What a database can look for; PostgreSQL refuses a NUL."""
    return (text or "").replace("\0", "").strip()


def _states() -> list[SelectChoice]:
    return [SelectChoice(group, label) for group, label in GROUP_WORDS.items()]


def _names() -> list[SelectChoice]:
    functions = {function.name: function.label for function in CATALOGUE.values() if not function.internal}
    undoing = {f.undo.function.name: f.undo.function.label for f in CATALOGUE.values() if f.undo}
    kinds = {"": "Any kind"} | functions | undoing | {SEVERAL: "Combined tasks"}
    return [SelectChoice(name, label) for name, label in kinds.items()]


def _check_choice(_: Form, field: Field) -> None:
    if field.data not in {choice.value for choice in field.choices}:
        raise ValidationError("Choose one from the list.")


class SearchForm(Form):
    """Words to look for. Checked as soon as it is made; `arguments` is what an address needs to say of it."""

    q = SearchField("Search", [Length(max=QUERY_LENGTH, message=TOO_LONG)], filters=[_clean])

    def __init__(self, formdata: Any) -> None:
        super().__init__(formdata)
        self.validate()

    @property
    def status(self) -> int:
        """What to answer with."""
        return 422 if self.errors else 200

    def page(self, query: "ModelSelect[Any]", before: str | None, owner: "User | None" = None) -> Page:
        """The page of a query's rows that have the words; all if none is given, none if they are wrong.

        The query must be of all rows of a model that is searched, or of those of that owner. A few queries. Raises
        BadRequest for a cursor that no page gave out. A search that takes too long becomes an error of the field.
        """
        if self.errors:
            return Page([], None)
        if not self.q.data:
            return page(query, before)
        try:
            return page_of_ids(query, before, lambda most, after: newest(query.model, self.q.data, most, owner, after))
        except SearchTooSlow:
            self.q.errors = [TOO_SLOW]
            return Page([], None)

    @property
    def arguments(self) -> dict[str, Any]:
        """The fields that are filled in, as they were sent."""
        sent = {field.name: _clean(field.raw_data[0] if field.raw_data else "") for field in self}
        return {name: text for name, text in sent.items() if text}


class TaskFilterForm(SearchForm):
    """Which tasks to show. Days are those of a time zone; both the first and the last are meant as a whole."""

    state = SelectField("State", [_check_choice], choices=_states(), validate_choice=False, default="")
    name = SelectField("Kind", [_check_choice], choices=_names(), validate_choice=False, default="")
    since = DateField("From", [Optional()])
    until = DateField("To", [Optional()])

    def __init__(self, formdata: Any, zone: str) -> None:
        self.zone = zone
        super().__init__(formdata)

    def validate_since(self, field: Field) -> None:
        """A day of the calendar."""
        _check_day(field)

    def validate_until(self, field: Field) -> None:
        """A day of the calendar, and not one before the first."""
        _check_day(field)
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError("“To” can’t be before “From”.")

    @property
    def filter(self) -> TaskFilter:
        """What to ask for, if nothing is wrong with it."""
        day = timedelta(days=1)
        until = self.until.data and (self._begin_of(self.until.data + day) if self.until.data < date.max else None)
        since = self.since.data and self._begin_of(self.since.data)
        return TaskFilter(self.state.data, self.name.data, self.q.data, since, until)

    def _begin_of(self, day: date) -> datetime:
        try:
            return from_local(datetime.combine(day, time()), self.zone)
        except OverflowError:  # in UTC that would be before the first day of the calendar, or after its last
            return datetime.combine(day, time())


def _check_day(field: Field) -> None:
    if field.data is None and field.raw_data and field.raw_data[0].strip():
        field.errors = []  # what WTForms itself says of it
        raise ValidationError("Enter a date like 2026-11-21.")
