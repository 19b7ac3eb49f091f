"""What `Annotated` may say of a parameter beside its limits: words for people, and where its choices come from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from peewee import Alias, Model, ModelSelect

from tasks.engine.models.owner import OwnerRow
from tasks.engine.parameters.conversions import Value
from webapp.db import Untyped
from webapp.lib.i18n import ngettext

MOST_OFFERED: Final = 200
Option: TypeAlias = tuple[Value, str]


@dataclass(frozen=True)
class Labels:
    """What people read for each choice of a parameter, in the order of the choices."""

    labels: tuple[str, ...]

    def __init__(self, *labels: str) -> None:
        object.__setattr__(self, "labels", tuple(map(str, labels)))


@dataclass(frozen=True)
class Label:
    """What people read beside the field, in place of the parameter's name."""

    text: str


@dataclass(frozen=True)
class Hint:
    """What people should know before they fill in the field: a sentence or two."""

    text: str


@dataclass(frozen=True)
class Placeholder:
    """An example that stands in the field while it is empty."""

    text: str


@dataclass(frozen=True)
class Multiline:
    """The text has lines: its field is a text area."""


@dataclass(frozen=True)
class Choice:
    """One of the owner's own things: `Choice(posts_of)`, where `posts_of(user)` returns (value, label) of each.

    That is a query of two columns, of which only what is needed is read, or any iterable. A form offers the first
    `most`, so let the latest come first; whatever the function returns can be chosen.
    """

    options: "Callable[[OwnerRow], Iterable[Option] | ModelSelect[Untyped]]"
    most: int = MOST_OFFERED

    def offered(self, owner: Model) -> tuple[list[Option], bool]:
        """What a form offers to an owner, and whether there is more."""
        options = self.options(owner)
        if isinstance(options, ModelSelect):
            query: Untyped = options
            limit = query._limit
            options = query.limit(self.most + 1 if limit is None else min(limit, self.most + 1)).tuples()
        found = [_option(each) for each in islice(options, self.most + 1)]
        return found[: self.most], len(found) > self.most

    def find(self, owner: Model, value: object) -> Option | None:
        """A value with its label if it is the owner's now, otherwise None. One query, or a pass through the rest."""
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            return None  # no database has such a number, and some would raise
        options = self.options(owner)
        if isinstance(options, ModelSelect):
            query: Untyped = options
            column: Untyped = query.selected_columns[0]
            if query._limit is None and query._offset is None:
                if isinstance(column, Alias):
                    column = column.unalias()  # type: ignore[no-untyped-call]
                query = query.where(column == value)
            options = query.tuples()
        return next((option for option in map(_option, options) if _same(option[0], value)), None)

    @property
    def hint(self) -> str:
        """What a form says that could not offer all."""
        return ngettext("Only the first is offered.", "Only the first %(num)s are offered.", self.most)


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and bool(one == other)


def _option(pair: Option) -> Option:
    value, label = pair
    return value, str(label)
