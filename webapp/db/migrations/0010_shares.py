"""How many steps a task was started with, how much of a whole is done; what has ended, by when it did."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

ALERTS, ENDED = ('user_id', 'dismissed_at', 'finished_at'), ('user_id', 'finished_at', 'id')
EARLIER = ('user_id', 'dismissed_at', 'created_at')


def _drop_index(migrator, db, columns):
    """Each database makes up the name of an index for itself."""
    index = next(index for index in db.get_indexes('tasks') if tuple(index.columns) == columns)
    migrator.migrate(migrator.drop_index('tasks', index.name))


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('tasks', 'expected', IntegerField(null=True)),
        migrator.add_column('tasks', 'share', FloatField(null=True)),
    )
    _drop_index(migrator, db, EARLIER)
    migrator.migrate(migrator.add_index('tasks', ALERTS), migrator.add_index('tasks', ENDED))


def down(migrator, db):
    _drop_index(migrator, db, ENDED)
    _drop_index(migrator, db, ALERTS)
    migrator.migrate(
        migrator.add_index('tasks', EARLIER),
        migrator.drop_column('tasks', 'share'),
        migrator.drop_column('tasks', 'expected'),
    )
