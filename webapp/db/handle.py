"""`database`, the one database of this process, and BaseModel, on which every table is built."""

from typing import Any

from peewee import DatabaseProxy, Model, PostgresqlDatabase


class _Proxy(DatabaseProxy):
    """Hands `atomic` and `transaction` on: Peewee's own proxy would go past what our databases do in them."""

    def atomic(self, *args: Any, **options: Any) -> Any:
        return self.obj.atomic(*args, **options)

    def transaction(self, *args: Any, **options: Any) -> Any:
        return self.obj.transaction(*args, **options)


# `database.transaction()` joins an open transaction; an exception in it rolls back everything. `database.atomic()`
# adds a savepoint, for what may fail alone. Each savepoint has a new name, and so costs two statements to parse.
database: Any = _Proxy()


class BaseModel(Model):
    """A table named by the plural of its model, in the one database."""

    class Meta:
        database = database
        legacy_table_names = False

        def table_function(model: type[Model]) -> str:  # type: ignore[misc]  # noqa: N805, D102 - Peewee's hook
            words = "".join(f"_{c.lower()}" if c.isupper() else c for c in model.__name__).strip("_")
            return f"{words}s"


def is_postgres() -> bool:
    """Whether the database is PostgreSQL; otherwise it is SQLite."""
    return isinstance(database.obj, PostgresqlDatabase)
