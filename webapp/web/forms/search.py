"""Search and filter forms. They are sent by GET, so that the URL says what is shown."""

from typing import Any

from peewee import ModelSelect
from wtforms import Field, Form, SearchField, SelectChoice, SelectField, StringField
from wtforms.validators import Length

from tasks.catalogue import CATALOGUE
from tasks.engine.models.state import Group
from webapp.lib.normalization import clean
from webapp.lib.tokenization import QUERY_LENGTH
from webapp.models import User
from webapp.models.search import SearchTooSlow
from webapp.models.search_places import TooManySearches
from webapp.models.searched_rows import Place
from webapp.models.task_filter import SEVERAL, TaskFilter
from webapp.web.forms.days import DaysForm, require_choice
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


class TaskFilterForm(SearchForm, DaysForm):
    """Which tasks to show."""

    state = SelectField("State", [require_choice], choices=_state_choices(), validate_choice=False, default="")
    name = SelectField("Kind", [require_choice], choices=_kind_choices(), validate_choice=False, default="")
    older = StringField(filters=[_clean])  # where the search before this ended; no part of what people fill in

    def __init__(self, formdata: Any, zone: str) -> None:
        self.zone = zone
        super().__init__(formdata)

    def validate_older(self, field: Field) -> None:
        """Requires what a page gave out: BadRequest."""
        if field.data:
            moment(field.data)

    @property
    def filter(self) -> TaskFilter:
        """The filter for the query. Only for a valid form."""
        older = moment(self.older.data) if self.older.data else None
        return TaskFilter(self.state.data, self.name.data, self.q.data, self.starts_at, self.ends_at, older)
