"""Rows as objects: Peewee asks for the name and the field of each column anew, which takes longer than the query."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    FloatField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)

from webapp.db.cursor import Row

Convert = Callable[[object], object]
Found = TypeVar("Found", bound=Model)

# What a column of these holds is what its driver gives: SQLite converts by the column's type, as it is written. A field
# derived from one may convert more.
_AS_STORED = {AutoField, BigIntegerField, CharField, FloatField, IntegerField, SmallIntegerField, TextField}


def read_model(model: type[Found], row: Row) -> Found:
    """The object of a row with all columns of a model, in their order, as a query for the whole model gives them."""
    names, converted = _columns(model)
    found = model(__no_default__=True)
    data = found.__data__ = dict(zip(names, row, strict=True))
    for name, convert in converted:
        value = data[name]
        if value is not None:
            data[name] = convert(value)
    return found


@cache
def _columns(model: type[Model]) -> tuple[list[str], list[tuple[str, Convert]]]:
    fields = model._meta.sorted_fields
    converted = [field for field in fields if type(field) not in _AS_STORED]
    return [field.name for field in fields], [(field.name, field.python_value) for field in converted]
