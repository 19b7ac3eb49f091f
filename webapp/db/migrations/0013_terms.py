"""Posts and messages are found by terms that the site itself makes of their texts, the same on each database.

The column may be null: the release before goes on writing rows without it, and searches by what it has, which stays.
Terms are made by the rules of the code that searches by them, and so not by what they were at the time of this
migration: `migrate` makes them, and the index over them, once all migrations are applied.
"""

from peewee import PostgresqlDatabase, TextField

TABLES = ('posts', 'messages')
EVENTS = ('insert', 'update', 'delete')


def up(migrator, db):
    for table in TABLES:
        migrator.migrate(migrator.add_column(table, 'terms', TextField(null=True)))
        db.execute_sql(f'CREATE INDEX {table}_without_terms ON {table} (id) WHERE terms IS NULL')


def down(migrator, db):
    for table in TABLES:
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'DROP INDEX IF EXISTS {table}_terms')
        else:
            for event in EVENTS:
                db.execute_sql(f'DROP TRIGGER IF EXISTS {table}_terms_{event}')
            db.execute_sql(f'DROP TABLE IF EXISTS {table}_terms')
        db.execute_sql(f'DROP INDEX {table}_without_terms')
        db.execute_sql(f'ALTER TABLE {table} DROP COLUMN terms')
