"""How a row of EXPORTED says what a person gets of a model: which rows are theirs, and each column in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import Model, ModelSelect

from webapp.lib.json_types import Json
from webapp.lib.times import exact_iso
from webapp.models import User

Of = Callable[[User], "Sequence[ModelSelect[Any]]"]


@dataclass(frozen=True)
class Excused:
    """A model or a column that is not exported, and why: in a sentence for whoever it is about."""

    why: str


@dataclass(frozen=True)
class Column:
    """One field of the JSON: what it is, in words; its name there and its value, if other than those of the column."""

    words: str
    name: str = ""
    value: Callable[[Any], object] | None = None


Columns = Mapping[str, Column | Excused]


@dataclass(frozen=True)
class Content:
    """Files that rows have: which rows, the path of each in the ZIP file, and its content in pieces from one on.

    `size` is an expression for the number of its bytes, which each row has as its `size`.
    """

    of: Callable[[User], "ModelSelect[Any]"]
    path: Callable[[Any], str]
    pieces: Callable[[Any, int], Iterator[bytes]]
    size: Any


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A model of which a person gets a JSON file.

    `of` gives the queries of their rows, one after the other, each ordered ascending by columns that together are
    unique, never change and, with what it is limited by, are an index. Where rows of another model are inside those of
    this one, it may select ids alone: each row is read again. Every column of the model is in `columns`, by its name;
    `more` are fields that are none. `is_one` has an object in the file in place of a list.
    """

    file: str
    title: str  # after "Collecting", and in the README
    columns: Columns
    of: Of
    words: str = ""  # what else there is to know of the file
    more: Mapping[str, Column] = field(default_factory=dict)
    is_one: bool = False
    content: Content | None = None


@dataclass(frozen=True, kw_only=True)
class Inside:
    """A model whose rows are listed within each row of another one, by the `name` of a field, in the order of ids."""

    parent: type[Model]
    name: str
    words: str
    columns: Columns
    of: Callable[[Any], "ModelSelect[Any]"]  # a row of the parent
    more: Mapping[str, Column] = field(default_factory=dict)


Row = Exported | Inside | Excused


def columns_of(row: Exported | Inside) -> Iterator[tuple[str, Column]]:
    """The fields of its JSON, by their names there."""
    for name, column in (*row.columns.items(), *row.more.items()):
        if isinstance(column, Column):
            yield column.name or name, column


def as_json(row: Exported | Inside, found: Model) -> dict[str, Json]:
    """A row of the database as its JSON says it."""
    fields: dict[str, Json] = {}
    for name, column in (*row.columns.items(), *row.more.items()):
        if isinstance(column, Column):
            value = column.value(found) if column.value else found.__data__.get(name)
            fields[column.name or name] = _plain(value)
    return fields


def name_of(key: str, person: str) -> Callable[[Any], str | None]:
    """The value of a column: the username of a person whom a row refers to by a key; None where it refers to none."""
    return lambda row: getattr(row, person).shown_name if row.__data__.get(key) else None


def _plain(value: Any) -> Json:
    """Moments in UTC, and ids as texts."""
    if isinstance(value, datetime):
        return exact_iso(value)
    return str(value) if isinstance(value, UUID) else value
