"""When a task last became pending, and how often it has changed otherwise than by the progress of a run."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('tasks', 'ready_at', DateTimeField(null=True)),
        # NOT NULL at once, with a default of the database's own: neither database rewrites the table for that.
        migrator.add_column('tasks', 'moves', IntegerField(default=0, constraints=[SQL('DEFAULT 0')]), allow_not_null=True),
    )
    # Nothing has changed such a task since it became pending. When the others were, nobody knows any more.
    db.execute_sql("UPDATE tasks SET ready_at = updated_at WHERE state = 'pending'")


def down(migrator, db):
    migrator.migrate(migrator.drop_column('tasks', 'moves'), migrator.drop_column('tasks', 'ready_at'))
