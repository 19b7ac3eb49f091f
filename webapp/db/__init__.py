"""The database: the handle that every model and process uses, transactions, connections and migrations.

Import from here what stands in `__all__`; the modules beside this one import each other, never this package.
"""

from webapp.db.brief_reads import briefly
from webapp.db.compiled_query import (
    CompiledQuery,
    Param,
    Untyped,
    compiled,
    numbered,
    param_of,
    params_of,
    places,
)
from webapp.db.connections import configure, connect_to_postgres, forget_connection, place, without_deadlines
from webapp.db.cursor import Row
from webapp.db.handle import BaseModel, database, is_postgres
from webapp.db.inserts import insert_rows
from webapp.db.lazy_transaction import open_at_first_write
from webapp.db.migration_runner import MIGRATIONS, changing_schema, migrate, migrations
from webapp.db.rows import read_model
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
    "briefly",
    "changing_schema",
    "compiled",
    "configure",
    "connect_to_postgres",
    "database",
    "demand_transaction",
    "forget_connection",
    "insert_rows",
    "is_postgres",
    "locking",
    "locks_rows",
    "migrate",
    "migrations",
    "numbered",
    "open_at_first_write",
    "param_of",
    "params_of",
    "place",
    "places",
    "read_model",
    "without_deadlines",
]
