"""The database: the handle that every model and process uses, transactions, connections and migrations.

Import from here what stands in `__all__`; the modules beside this one import each other, never this package.
"""

from webapp.db.compiled_query import CompiledQuery, Param, Untyped, compiled, object_of, param_of, params_of
from webapp.db.connections import configure, connect_to_postgres, forget_connection, place, without_deadlines
from webapp.db.cursor import Row
from webapp.db.handle import BaseModel, database, is_postgres
from webapp.db.lazy_transaction import open_at_first_write
from webapp.db.migration_runner import MIGRATIONS, changing_schema, migrate, migrations
from webapp.db.transactions import after_commit, before_commit, demand_transaction, locking, locks_rows

__all__ = [
    "MIGRATIONS",
    "BaseModel",
    "CompiledQuery",
    "Param",
    "Row",
    "Untyped",
    "after_commit",
    "before_commit",
    "changing_schema",
    "compiled",
    "configure",
    "connect_to_postgres",
    "database",
    "demand_transaction",
    "forget_connection",
    "is_postgres",
    "locking",
    "locks_rows",
    "migrate",
    "migrations",
    "object_of",
    "open_at_first_write",
    "param_of",
    "params_of",
    "place",
    "without_deadlines",
]
