"""The request that started a task, so that the lines of a log about both can be found together."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

REQUEST_ID = 'request_id'


def up(migrator, db):
    # NULL without a default: neither database touches a row for it, nor rebuilds the table.
    migrator.migrate(migrator.add_column('tasks', REQUEST_ID, CharField(max_length=128, null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('tasks', REQUEST_ID))
