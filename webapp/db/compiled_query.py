"""Compiled queries: statements that run so often that building them anew would cost more than running them.

A function that builds a query of Peewee's, with a `Param` for each value that comes with a call, becomes a statement:

    @compiled
    def _older() -> Any:
        return Post.select(Post.id).where(Post.id < Param("before")).limit(20)

    rows = _older.execute(before=7).fetchall()

Its SQL is built once for each database. So columns, states and tables are named as anywhere else, and a call costs what
the same SQL in a string would. Everything but a Param is a constant and is spelled into the SQL: a database plans for
`state = 'pending'` and `LIMIT 1`, but has to guess at what a placeholder will be.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from peewee import ColumnBase, Context, Database, DateTimeField, JSONField

from webapp.db.cursor import Cursor, Row
from webapp.db.handle import database, is_postgres
from webapp.db.rows import Found, read_model

Untyped: TypeAlias = Any  # type: ignore[explicit-any]  # what Peewee builds queries of, and the values in them
Convert = Callable[[Untyped], Untyped]
Place = tuple[str, Convert | None]


class Param(ColumnBase):
    """The place of a value that comes with each call, by its name.

    Compared with a field, it is stored as a value of that field; elsewhere as it is. Several may have one name.
    """

    def __init__(self, name: str, convert: Convert | None = None) -> None:
        self.name, self.convert = name, convert

    def __sql__(self, ctx: Context) -> Context:
        place: Place = self.name, self.convert or ctx.state.converter
        with ctx(value_literals=False):
            placed: Context = ctx.value(place, converter=False)
        return placed


def param_of(field: Untyped) -> Param:
    """The place of a value that is written to a field; its name is the field's."""
    if isinstance(field, JSONField):
        return Param(field.name, _as_text(field))
    return Param(field.name, _as_sqlite_keeps_it if _is_text_here(field) else field.db_value)


def params_of(*fields: Untyped) -> dict[Untyped, Untyped]:
    """For an INSERT or UPDATE: these fields, each with the place of its value."""
    return {field: param_of(field) for field in fields}


def places(name: str, number: int, field: Untyped) -> list[Param]:
    """The places of so many values of a field, for the list of an `in_`. `numbered` gives them their values."""
    return [Param(f"{name}{n}", field.db_value) for n in range(number)]


def numbered(name: str, values: Iterable[object]) -> dict[str, object]:
    """Values for `places` of that name, in their order."""
    return {f"{name}{n}": value for n, value in enumerate(values)}


class CompiledQuery:
    """A statement. It may be executed by any thread, in the process's present database."""

    def __init__(self, build: Callable[[], Untyped]) -> None:
        self._build = build
        self.__doc__ = build.__doc__
        self._compiled: tuple[Database | None, str, list[Place], int] = None, "", [], 0

    def execute(self, **values: object) -> Cursor:
        """Run it with a value for each name; returns the driver's cursor. Raises TypeError for other names."""
        return database.execute_sql(*self.sql(**values))

    def first(self, **values: object) -> Row:
        """The first row of a SELECT, or None; the others are not for anybody to read.

        On PostgreSQL it costs half of what `execute` does, as each thread keeps a cursor for it.
        """
        return database.first_row(*self.sql(**values))

    def objects(self, model: type[Found], **values: object) -> list[Found]:
        """What a SELECT of all columns of a model finds, as objects."""
        return [read_model(model, row) for row in self.execute(**values).fetchall()]

    def sql(self, **values: object) -> tuple[str, list[Untyped]]:
        """The SQL and its parameters, as `execute` gives them to the database."""
        db, sql, places, names = self._compiled
        if db is not database.obj:
            _, sql, places, names = self._compiled = _compile(database.obj, self._build)
        try:
            given = [convert(values[name]) if convert else values[name] for name, convert in places]
        except KeyError as missing:
            raise TypeError(f"a value for {missing} is missing") from None
        if len(values) != names:
            raise TypeError(f"there is no place for {', '.join(values.keys() - {name for name, _ in places})}")
        return sql, given


def compiled(build: Callable[[], Untyped]) -> CompiledQuery:
    """Decorate a function that builds a query. It is called once for each database, when the query first runs."""
    return CompiledQuery(build)


class _Compiler(Context):
    """Spells constants into the SQL, and refuses those that would be another value with each call."""

    __slots__ = ()

    def value(self, value: Untyped, converter: Untyped = None, add_param: bool = True) -> Untyped:
        if isinstance(value, bool):
            return self.literal(str(value).upper())  # PostgreSQL does not take a number for it
        if self.state.value_literals and not _is_constant(value):
            raise TypeError(f"{value!r} would be the same in every call: use a Param")
        return super().value(value, converter, add_param)


def _is_constant(value: object) -> bool:
    # By a percent sign, psycopg finds the placeholders.
    return value is None or isinstance(value, (int, float)) or (isinstance(value, str) and "%" not in value)


def _compile(db: Database, build: Callable[[], Untyped]) -> tuple[Database, str, list[Place], int]:
    compiler = _Compiler(**db.get_context_options(), value_literals=True)
    sql, places = compiler.parse(build())  # type: ignore[no-untyped-call]
    return db, sql, places, len({name for name, _ in places})


def _is_text_here(field: Untyped) -> bool:
    """Whether it is a time on SQLite, whose driver would have each spelled by a hook that takes longer than that."""
    return type(field) is DateTimeField and not is_postgres()


def _as_sqlite_keeps_it(moment: datetime | None) -> str | None:
    return moment.isoformat(" ") if moment else None


def _as_text(field: JSONField) -> Convert:
    """JSON as its text, which both databases take; Peewee would wrap it in SQL."""
    return lambda value: None if value is None else json.dumps(value)
