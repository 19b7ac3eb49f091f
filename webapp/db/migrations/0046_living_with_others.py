"""Posts and messages can be changed by who wrote them; people can be blocked, and reported.

A deleted message stays as an empty row, so that its conversation keeps its order, and the release before this shows it
as an empty text. Columns may be null, as that release goes on writing rows without them.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

COLUMNS = {'posts': ('edited_at',), 'messages': ('edited_at', 'deleted_at'), 'users': ('blocks_since',)}


class _User(Model):
    class Meta:
        table_name = 'users'


class Block(Model):
    user = ForeignKeyField(_User, on_delete='CASCADE', index=False, backref='+')
    blocked = ForeignKeyField(_User, on_delete='CASCADE', backref='+')
    created_at = DateTimeField()

    class Meta:
        table_name = 'blocks'
        indexes = ((('user', 'blocked'), True), (('user', 'created_at', 'id'), False))


class Report(Model):
    reporter = ForeignKeyField(_User, null=True, on_delete='SET NULL', backref='+')
    about = ForeignKeyField(_User, on_delete='CASCADE', backref='+')
    kind = CharField(max_length=10)
    subject_id = IntegerField()
    subject_at = DateTimeField()
    text = TextField()
    reason = CharField(max_length=12)
    words = TextField(default='')
    state = CharField(max_length=6, default='open')
    handler = ForeignKeyField(_User, null=True, on_delete='SET NULL', backref='+')
    closed_at = DateTimeField(null=True, index=True)
    created_at = DateTimeField()

    class Meta:
        table_name = 'reports'
        indexes = ((('state', 'created_at', 'id'), False),)


def up(migrator, db):
    for table, columns in COLUMNS.items():
        migrator.migrate(*(migrator.add_column(table, column, DateTimeField(null=True)) for column in columns))
    db.bind([Block, Report], bind_refs=False, bind_backrefs=False)
    db.create_tables([Block, Report])
    db.execute_sql(
        "CREATE UNIQUE INDEX reports_open ON reports (reporter_id, kind, subject_id, subject_at) WHERE state = 'open'"
    )


def down(migrator, db):
    db.bind([Block, Report], bind_refs=False, bind_backrefs=False)
    db.drop_tables([Report, Block])
    for table, columns in COLUMNS.items():
        for column in columns:
            db.execute_sql(f'ALTER TABLE {table} DROP COLUMN {column}')
