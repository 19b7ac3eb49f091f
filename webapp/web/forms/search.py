"""Search and filter forms. They are sent by GET, so that the URL says what is shown."""

from datetime import date, datetime, time, timedelta
from typing import Any

from peewee import ModelSelect
from wtforms import DateField, Field, Form, SearchField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, Optional, ValidationError

from tasks.catalogue import CATALOGUE
from tasks.engine.models.state import Group
from webapp.lib.normalization import clean
from webapp.lib.times import from_local
from webapp.lib.tokenization import QUERY_LENGTH
from webapp.models import User
from webapp.models.search import SearchTooSlow
from webapp.models.search_places import TooManySearches
from webapp.models.searched_rows import Place
from webapp.models.task_filter import SEVERAL, TaskFilter
from webapp.web.paging import Page, moment
from webapp.web.searching import search_page

TOO_LONG = "Search for at most %(max)d characters."
TOO_MANY = "Many people are searching right now. Try again in a moment."
RETRY_AFTER = 2  # seconds
TOO_SLOW = "That search takes too long. Try longer or less common words."


def _clean(text: str | None) -> str:
    return clean(text) or ""


def _state_choices() -> list[SelectChoice]:
    return [SelectChoice("", "Any state"), *(SelectChoice(group.value, group.words) for group in Group)]


def _kind_choices() -> list[SelectChoice]:
    functions = {function.name: function.label for function in CATALOGUE.values() if not function.internal}
    undoing = {f.undo.function.name: f.undo.function.label for f in CATALOGUE.values() if f.undo}
    kinds = {"": "Any kind"} | functions | undoing | {SEVERAL: "Combined tasks"}
    return [SelectChoice(name, label) for name, label in kinds.items()]


def _require_choice(_: Form, field: Field) -> None:
    if field.data not in {choice.value for choice in field.choices}:
        raise ValidationError("Choose one from the list.")


class SearchForm(Form):
    """A search for words, validated as it is made."""

    q = SearchField("Search", [Length(max=QUERY_LENGTH, message=TOO_LONG)], filters=[_clean])
    end: Place | None = None  # where `page` has stopped to look, if it did before the last row

    def __init__(self, formdata: Any) -> None:
        super().__init__(formdata)
        self.validate()

    @property
    def status(self) -> int:
        """The HTTP status of a page with this form: 200, 422 if something is wrong with it, 503 if it got no place."""
        if self.q.errors == [TOO_MANY]:
            return 503
        return 422 if self.errors else 200

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers that belong to the status."""
        return {"Retry-After": str(RETRY_AFTER)} if self.status == 503 else {}

    def page(
        self, query: "ModelSelect[Any]", before: str | None, owner: User | None = None, reader: User | None = None
    ) -> Page:
        """The page of the rows of a query that contain the words, as `search_page`; none if the form is invalid.

        A search that takes too long, or gets no place because many others search, becomes an error of the field. Raises
        BadRequest for a cursor that no page gave out.
        """
        if self.errors:
            return Page([], None)
        try:
            found, self.end = search_page(query, self.q.data, before, owner, reader)
        except SearchTooSlow:
            self.q.errors = [TOO_SLOW]
        except TooManySearches:
            self.q.errors = [TOO_MANY]
        else:
            return found
        return Page([], None)

    @property
    def arguments(self) -> dict[str, Any]:
        """The fields that are filled in, as query arguments for the URL of another page of this."""
        sent = {field.name: _clean(field.raw_data[0] if field.raw_data else "") for field in self}
        return {name: text for name, text in sent.items() if text}


class TaskFilterForm(SearchForm):
    """Which tasks to show. Days are those of the time zone `zone`; the first and the last are both included."""

    state = SelectField("State", [_require_choice], choices=_state_choices(), validate_choice=False, default="")
    name = SelectField("Kind", [_require_choice], choices=_kind_choices(), validate_choice=False, default="")
    since = DateField("From", [Optional()])
    until = DateField("To", [Optional()])
    older = StringField(filters=[_clean])  # where the search before this ended; no part of what people fill in

    def __init__(self, formdata: Any, zone: str) -> None:
        self.zone = zone
        super().__init__(formdata)

    def validate_older(self, field: Field) -> None:
        """Requires what a page gave out: BadRequest."""
        if field.data:
            moment(field.data)

    def validate_since(self, field: Field) -> None:
        """Requires a date."""
        _require_date(field)

    def validate_until(self, field: Field) -> None:
        """Requires a date that is not before the first day."""
        _require_date(field)
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError("“To” can’t be before “From”.")

    @property
    def filter(self) -> TaskFilter:
        """The filter for the query. Only for a valid form."""
        day = timedelta(days=1)
        until = self.until.data and (self._start_of(self.until.data + day) if self.until.data < date.max else None)
        since = self.since.data and self._start_of(self.since.data)
        older = moment(self.older.data) if self.older.data else None
        return TaskFilter(self.state.data, self.name.data, self.q.data, since, until, older)

    def _start_of(self, day: date) -> datetime:
        try:
            return from_local(datetime.combine(day, time()), self.zone)
        except OverflowError:  # in UTC that would be before the first day of the calendar, or after its last
            return datetime.combine(day, time())


def _require_date(field: Field) -> None:
    if field.data is None and field.raw_data and field.raw_data[0].strip():
        field.errors = []  # WTForms reports it in its own words
        raise ValidationError("Enter a date like 2026-11-21.")
