"""What rows keep for people is a phrase: an id with arguments. The texts stay for the release before."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

COLUMNS = (('tasks', 'title_phrase'), ('tasks', 'stage_phrase'), ('tasks', 'error_phrase'), ('task_events', 'phrase'))


def up(migrator, db):
    migrator.migrate(*(migrator.add_column(table, column, JSONField(null=True)) for table, column in COLUMNS))


def down(migrator, db):
    migrator.migrate(*(migrator.drop_column(table, column) for table, column in COLUMNS))
