"""How often a task's runs have died since it last got further."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    migrator.migrate(migrator.add_column('tasks', 'deaths', IntegerField(default=0)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('tasks', 'deaths'))
