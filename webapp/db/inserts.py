"""Inserts: many rows in one statement, for about what the database takes to write them.

Peewee's `insert_many` builds the SQL of each value by itself, and for hundreds of rows that takes longer than the rest.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

from webapp.db.compiled_query import Untyped, param_of
from webapp.db.handle import database

MOST_VALUES = 30_000  # in one statement; SQLite takes 32,766, PostgreSQL 65,535


def insert_rows(same: Mapping[Untyped, object], fields: Sequence[Untyped], rows: Sequence[Sequence[object]]) -> None:
    """Insert rows of one model: the values of `fields`, and for all of them the `same` values of others.

    Other columns get the database's defaults, not Peewee's. One statement, so keep to MOST_VALUES; none for no rows.
    Triggers run for each row, but FTS5 writes its part once.
    """
    if not rows:
        return
    table, every = fields[0].model._meta.table_name, [*same, *fields]
    columns = ", ".join(f'"{field.column_name}"' for field in every)
    row = f"({', '.join([database.param] * len(every))})"
    sql = f'INSERT INTO "{table}" ({columns}) VALUES {", ".join([row] * len(rows))}'  # noqa: S608
    alike = [_stored(field, [value])[0] for field, value in same.items()]
    by_field = zip(fields, zip(*rows, strict=True), strict=True)
    stored = zip(*(_stored(field, values) for field, values in by_field), strict=True)
    database.execute_sql(sql, list(chain.from_iterable((*alike, *values) for values in stored)))


def _stored(field: Untyped, values: Sequence[object]) -> list[Untyped]:
    """Values of a field as the driver takes them."""
    convert = param_of(field).convert
    return [convert(value) for value in values] if convert else list(values)
