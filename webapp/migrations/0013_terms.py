"""Posts and messages are found by terms that the site itself makes of their texts, the same on each database.

The column may be null: the release before goes on writing rows without it, and searches by what it has, which stays.
Terms are made by the rules of the code that searches by them, and so not by what they were at the time of this
migration; the index over them is made after the migrations, too.
"""

from peewee import PostgresqlDatabase, TextField

from webapp import fulltext

TABLES = ('posts', 'messages')


def up(migrator, db):
    for table in TABLES:
        migrator.migrate(migrator.add_column(table, 'terms', TextField(null=True)))
        with_old = old_index(db, table)
        # Every row that is written anew goes into every index: the costly one is sooner made anew.
        for _ in with_old:
            db.execute_sql(f'DROP INDEX {table}_search')
        fulltext.fill_all(db, table)
        for definition in with_old:
            db.execute_sql(definition)
        db.execute_sql(f'CREATE INDEX {table}_without_terms ON {table} (id) WHERE terms IS NULL')


def down(migrator, db):
    for table in TABLES:
        fulltext.drop(db, table)
        db.execute_sql(f'DROP INDEX {table}_without_terms')
        db.execute_sql(f'ALTER TABLE {table} DROP COLUMN terms')


def old_index(db, table):
    if not isinstance(db, PostgresqlDatabase):
        return []
    query = 'SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexname = %s'
    return [definition for [definition] in db.execute_sql(query, (f'{table}_search',)).fetchall()]
