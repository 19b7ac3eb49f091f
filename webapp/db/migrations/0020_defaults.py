"""Columns that a release did not have yet get the database's own defaults, so that it can still insert without them.

They were added with a default that only the code of their own release knew, so an older one could start no task.
"""

import re

from peewee import PostgresqlDatabase

DEFAULTS = {
    'tasks': {
        'kind': "'single'", 'step': '0', 'retries': '0', 'rescues': '0', 'priority': '0', 'worked': '0', 'deaths': '0',
        'quiet': 'FALSE',
    },
    'artifacts': {'number': '0'},
}
TEMPORARY = '_with_other_defaults'


def up(migrator, db):
    for table, defaults in DEFAULTS.items():
        if isinstance(db, PostgresqlDatabase):
            for column, default in defaults.items():
                db.execute_sql(f'ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}')
        else:
            rebuild(db, table, [(f'("{column}" [^,]*NOT NULL)', rf'\1 DEFAULT {default}') for column, default in defaults.items()])


def down(migrator, db):
    for table, defaults in DEFAULTS.items():
        if isinstance(db, PostgresqlDatabase):
            for column in defaults:
                db.execute_sql(f'ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT')
        else:
            rebuild(db, table, [(f'("{column}" [^,]*NOT NULL) DEFAULT {default}', r'\1') for column, default in defaults.items()])


def rebuild(db, table, changes):
    """Change the definition of a table of SQLite's, once for all columns, and keep its rows, indexes and triggers."""
    [(definition,)] = db.execute_sql("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchall()
    belongings = db.execute_sql(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL", (table,)
    ).fetchall()
    for pattern, replacement in ((f'"{table}"', f'"{table}{TEMPORARY}"'), *changes):
        definition, found = re.subn(pattern, replacement, definition, count=1)
        if not found:
            raise RuntimeError(f'the table {table} is not as the migrations before this one left it: {definition}')
    db.execute_sql(definition)
    db.execute_sql(f'INSERT INTO {table}{TEMPORARY} SELECT * FROM {table}')
    db.execute_sql(f'DROP TABLE {table}')
    # Else SQLite looks through triggers and views elsewhere, which name a table that is not there at this moment.
    db.execute_sql('PRAGMA legacy_alter_table = 1')
    db.execute_sql(f'ALTER TABLE {table}{TEMPORARY} RENAME TO {table}')
    db.execute_sql('PRAGMA legacy_alter_table = 0')
    for (belonging,) in belongings:
        db.execute_sql(belonging)
