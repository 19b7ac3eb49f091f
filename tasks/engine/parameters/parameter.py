"""Parameter: one thing that a task function asks for, as `reader` finds it in the signature."""

from dataclasses import dataclass
from types import NoneType
from typing import Final, cast

from peewee import Model

from tasks.engine.parameters.annotations import Choice
from tasks.engine.parameters.bounds import Bounds
from tasks.engine.parameters.conversions import NOWHERE, Place, Value, content, is_storable
from tasks.engine.parameters.files import either, hint_of_files, problem_of_files
from tasks.engine.parameters.parameter_type import ParameterType
from tasks.engine.uploads import Count, Upload
from webapp.lib.i18n import number
from webapp.lib.json_types import Json
from webapp.lib.normalization import is_blank

NOT_CHOSEN: Final = "That isn’t a valid choice."
LONGEST_QUOTE: Final = 40  # characters of a line that is wrong


class WrongValue(ValueError):
    """A value that a parameter does not take, in words for the person who chose it."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a task function. With a `count`, its values are lists of its type."""

    name: str
    type: ParameterType
    default: object
    required: bool
    optional: bool = False  # None is a value, and an empty field means that
    choices: tuple[Value, ...] = ()
    labels: tuple[str, ...] = ()
    own: Choice | None = None  # where the choices of each owner come from
    bounds: Bounds | None = None  # of a number, or of how many characters a text has
    count: Count | None = None
    suffixes: tuple[str, ...] = ()
    label: str = ""  # as people read it
    said: str = ""  # its author's hint
    placeholder: str = ""
    multiline: bool = False

    @property
    def is_file(self) -> bool:
        """Whether it is one file or several."""
        return self.type.python is Upload

    @property
    def is_to_be_written(self) -> bool:
        """Whether it is a text that may not be blank."""
        return self.type.limits == "length" and self.required and not self.optional

    @property
    def field(self) -> str:
        """The kind of its form field: that of its type, or one of SHAPES."""
        if self.own:
            return "own"
        if self.choices:
            return "checkboxes" if self.count else "select"
        if self.count:
            return "files" if self.is_file else "lines"
        return "textarea" if self.multiline else self.type.field

    @property
    def options(self) -> list[tuple[str, str]]:
        """The text of each choice with its label."""
        texts = [self.type.text(choice) for choice in self.choices]
        return list(zip(texts, self.labels or texts, strict=True))

    @property
    def hint(self) -> str:
        """What people should know before they fill it in; empty for what is plain."""
        files = hint_of_files(self.count, self.suffixes) if self.is_file else ""
        return " ".join(filter(None, [self.said, files, "One per line." if self.field == "lines" else ""]))

    def parse(self, typed: str) -> object:
        """The value that somebody has typed or chosen, or one of a list. What is none of its type stays a text."""
        if self.optional and is_blank(typed):
            return None
        if self.choices:
            return next((choice for choice in self.choices if self.type.text(choice) == typed), typed)
        try:
            return self.type.parse(typed)
        except ValueError:
            return typed

    def in_title(self, value: Value) -> Value:
        """A value as a title that is a format string has it."""
        return value if value is None or self.count else self.type.in_title(value)

    def check(self, value: object, owner: Model | None = None) -> Value:
        """A value as the task function gets it. Raises WrongValue.

        What is one of an owner's own things is looked up if the owner is given: one query.
        """
        if value is None and self.optional:
            return None
        if self.is_file:
            if words := problem_of_files(value, self.count, self.suffixes):
                raise WrongValue(words)
            return value
        if self.count:
            return self._check_list(value)
        checked = self.check_one(value)
        if self.own and owner is not None and self.own.find(owner, checked) is None:
            raise WrongValue(NOT_CHOSEN)
        return checked

    def problem(self, value: object, owner: Model | None = None) -> str | None:
        """What is wrong with a value, in words, or None."""
        try:
            self.check(value, owner)
        except WrongValue as error:
            return str(error)
        return None

    def dump(self, value: Value, place: Place) -> Json:
        """A value that was checked, as the row of a task has it."""
        if value is None:
            return None
        return [self.type.dump(each, place) for each in value] if self.count else self.type.dump(value, place)

    def load(self, saved: Value, place: Place) -> Value:
        """A value again, from what a row has. Raises TaskError for a secret that is gone, ValueError for no value."""
        if saved is None:
            return None
        return [self._load_one(each, place) for each in saved] if self.count else self._load_one(saved, place)

    def _load_one(self, saved: Value, place: Place) -> Value:
        for choice in self.choices:
            if self.type.dump(choice, place) == saved:
                return choice
        return self.type.load(saved, place)

    def _check_list(self, value: object) -> list[Value]:
        if not isinstance(value, list | tuple | NoneType):
            raise WrongValue("Enter a list.")
        values = list(value or ())
        if words := self.wrong_number(len(values)):
            raise WrongValue(words)
        checked = [self._check_item(each) for each in values]
        return list(dict.fromkeys(checked)) if self.choices else checked

    def _check_item(self, value: object) -> Value:
        try:
            return self.check_one(value)
        except WrongValue as error:
            text = " ".join(str(value).split())
            short = f"{text[:LONGEST_QUOTE]}…" if len(text) > LONGEST_QUOTE else text
            raise WrongValue(str(error) if self.choices else f"“{short}”: {error}") from error

    def check_one(self, value: object) -> Value:
        """One value, or one of a list, as the task function gets it. Raises WrongValue."""
        if self.choices:
            return self._chosen(value)
        if self.own and (value is None or value == ""):
            raise WrongValue("Choose one.")
        try:
            taken = self.type.take(value)
        except ValueError as error:
            raise WrongValue(NOT_CHOSEN if self.own else self.type.wrong) from error
        if not is_storable(content(taken)):
            raise WrongValue("Remove the invalid character.")
        if self.is_to_be_written and is_blank(content(taken)):
            raise WrongValue("This field is required.")
        if self.bounds and (words := self._out_of_bounds(taken)):
            raise WrongValue(words)
        return taken

    def _chosen(self, value: object) -> Value:
        for choice in self.choices:
            meant = (choice, self.type.dump(choice, NOWHERE))
            if any(type(value) is type(each) and value == each for each in meant):
                return choice
        raise WrongValue(f"Choose {either([label for _, label in self.options])}.")

    def _out_of_bounds(self, value: Value) -> str | None:
        bounds = cast(Bounds, self.bounds)
        if self.type.limits == "length":
            length = len(content(value))
            return None if bounds.hold(length) else bounds.problem_of_length(length)
        return None if bounds.hold(value) else bounds.problem_of_number()

    def wrong_number(self, there: int) -> str | None:
        """What is wrong with a list that has as many as that; None if nothing is."""
        count = cast(Count, self.count)
        if count.low <= there <= count.high:
            return None
        if not there:
            return "Choose at least one." if self.choices else "Enter at least one."
        chosen = "You chose" if self.choices else "You entered"
        wanted = number(count.low) if count.low == count.high else f"{number(count.low)} to {number(count.high)}"
        return f"{'Choose' if self.choices else 'Enter'} {wanted}. {chosen} {number(there)}."
