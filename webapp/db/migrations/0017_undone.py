"""When a task's effects were taken back; which other task a line of a timeline leads to."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('tasks', 'undo_began_at', DateTimeField(null=True)),
        migrator.add_column('tasks', 'undone_at', DateTimeField(null=True)),
        migrator.add_column('task_events', 'link', UUIDField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column('task_events', 'link'),
        migrator.drop_column('tasks', 'undone_at'),
        migrator.drop_column('tasks', 'undo_began_at'),
    )
