"""Posts and messages are found by the words in them.

What the release of this migration searched by, as it was then; that of 0013 does not ask it any more.
"""

import sqlite3
from contextlib import closing

from peewee import PostgresqlDatabase

EVENTS = ('insert', 'update', 'delete')
VECTOR = (
    "to_tsvector('simple'::regconfig, regexp_replace(normalize(regexp_replace(normalize(body, NFD),"
    " '[\\u0300-\\u036f]', '', 'g'), NFC), '[\\u0021-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u00bf"
    "\\u2000-\\u206f\\u3000-\\u303f]+', ' ', 'g'))"
)


def up(migrator, db):
    for table in ('posts', 'messages'):
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'CREATE INDEX {table}_search ON {table} USING gin (({VECTOR}))')
        elif has_fts5():
            db.execute_sql(
                f"CREATE VIRTUAL TABLE {table}_search USING fts5(body, content='{table}', content_rowid='id',"
                " tokenize='unicode61 remove_diacritics 2')"
            )
            follow(db, table)


def down(migrator, db):
    for table in ('messages', 'posts'):
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'DROP INDEX {table}_search')
        else:
            for event in EVENTS:
                db.execute_sql(f'DROP TRIGGER IF EXISTS {table}_search_{event}')
            db.execute_sql(f'DROP TABLE IF EXISTS {table}_search')


def has_fts5():
    with closing(sqlite3.connect(':memory:')) as connection:
        return bool(connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone())


def follow(db, table):
    add = f'INSERT INTO {table}_search(rowid, body) VALUES (new.id, new.body);'
    take = f"INSERT INTO {table}_search({table}_search, rowid, body) VALUES ('delete', old.id, old.body);"
    for event, then in zip(EVENTS, (add, take + add, take), strict=True):
        when = 'UPDATE OF body' if event == 'update' else event
        db.execute_sql(f'CREATE TRIGGER {table}_search_{event} AFTER {when} ON {table} BEGIN {then} END')
    db.execute_sql(f"INSERT INTO {table}_search({table}_search) VALUES ('rebuild')")
