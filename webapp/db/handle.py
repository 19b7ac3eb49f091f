"""`database`, the one database of this process, and BaseModel, on which every table is built."""

from collections.abc import Callable
from typing import Self, TypeAlias

from peewee import DatabaseProxy, Model, _atomic, _transaction

from webapp.db.cursor import Cursor, Parameters, Row
from webapp.db.postgres import Postgres
from webapp.db.selection import Selection
from webapp.db.sqlite import Sqlite

Backend: TypeAlias = Sqlite | Postgres


class Handle(DatabaseProxy):
    """Stands for the backend that `configure` chooses, and has its types; until then it raises AttributeError.

    `atomic` and `transaction` are handed on: Peewee's own proxy would go past what our backends do in them.
    """

    obj: Backend  # None until it is configured

    def atomic(self, *args: object, **options: object) -> _atomic:
        """A transaction, or a savepoint in the one that is open, for what may fail alone.

        Each savepoint has a new name, and so costs two statements to parse.
        """
        return self.obj.atomic(*args, **options)

    def transaction(self, *args: object, **options: object) -> _transaction:
        """A transaction, or a part of the one that is open: an exception in it rolls back everything."""
        return self.obj.transaction(*args, **options)

    def execute_sql(self, sql: str, params: Parameters | None = None) -> Cursor:
        """Run a statement whose placeholders are the backend's, `param`. Raises PeeweeException."""
        return self.obj.execute_sql(sql, params)

    def first_row(self, sql: str, params: Parameters) -> Row:
        """The first row that a SELECT finds, or None. For statements that are few: their cursors are kept."""
        return self.obj.first_row(sql, params)

    def in_transaction(self) -> bool:
        """Whether this thread has a transaction open."""
        return self.obj.in_transaction()

    def after_commit(self, action: Callable[[], object]) -> None:
        """Peewee's; `webapp.db.after_commit` also keeps an exception of the action from going on."""
        self.obj.after_commit(action)

    @property
    def param(self) -> str:
        """The placeholder of the backend: `?` or `%s`."""
        return self.obj.param


database = Handle()


class BaseModel(Model):
    """A table named by the plural of its model, in the one database."""

    class Meta:
        database = database
        legacy_table_names = False

        def table_function(model: type[Model]) -> str:  # type: ignore[misc]  # noqa: N805, D102 - Peewee's hook
            words = "".join(f"_{c.lower()}" if c.isupper() else c for c in model.__name__).strip("_")
            return f"{words}s"

    @classmethod
    def select(cls, *fields: object) -> "Selection[Self]":
        """Peewee's, with a selection that is quick to spell."""
        return Selection(cls, fields or cls._meta.sorted_fields, is_default=not fields)


def is_postgres() -> bool:
    """Whether the database is PostgreSQL; otherwise it is SQLite."""
    return isinstance(database.obj, Postgres)
