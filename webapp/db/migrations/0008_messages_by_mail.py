"""Messages by mail; tasks that are quiet; an index for the list of a person's mails."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def _drop_index(migrator, db, table, *columns):
    """Each database makes up the name of an index for itself."""
    index = next(index for index in db.get_indexes(table) if tuple(index.columns) == columns)
    migrator.migrate(migrator.drop_index(table, index.name))


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('messages', 'mail_due_at', DateTimeField(null=True)),
        migrator.add_column('messages', 'mail_key', CharField(max_length=50, null=True)),
        migrator.add_index('messages', ('mail_due_at',)),
        migrator.add_column('tasks', 'quiet', BooleanField(default=False)),
    )
    _drop_index(migrator, db, 'tasks', 'finished_at')
    _drop_index(migrator, db, 'mailings', 'user_id')
    migrator.migrate(
        migrator.add_index('tasks', ('quiet', 'finished_at')),
        migrator.add_index('mailings', ('user_id', 'created_at', 'id')),
    )


def down(migrator, db):
    _drop_index(migrator, db, 'mailings', 'user_id', 'created_at', 'id')
    _drop_index(migrator, db, 'tasks', 'quiet', 'finished_at')
    _drop_index(migrator, db, 'messages', 'mail_due_at')
    migrator.migrate(
        migrator.add_index('mailings', ('user_id',)),
        migrator.add_index('tasks', ('finished_at',)),
        migrator.drop_column('tasks', 'quiet'),
        migrator.drop_column('messages', 'mail_key'),
        migrator.drop_column('messages', 'mail_due_at'),
    )
