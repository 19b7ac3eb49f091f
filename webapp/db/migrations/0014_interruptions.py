"""How often a task's runs have been interrupted since it last got further: by what is neither its fault nor a death."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    # With a default of the database's own: a process of the release before does not name the column.
    migrator.migrate(
        migrator.add_column('tasks', 'interruptions', IntegerField(default=0, constraints=[SQL('DEFAULT 0')]))
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column('tasks', 'interruptions'))
