"""Posts remember the task that wrote them, if one did."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class _Task(Model):
    id = UUIDField(primary_key=True)
    class Meta:
        table_name = 'tasks'


def up(migrator, db):
    field = ForeignKeyField(_Task, _Task.id, null=True, on_delete='SET NULL')
    migrator.migrate(migrator.add_column('posts', 'task_id', field))


def down(migrator, db):
    for index in db.get_indexes('posts'):
        if 'task_id' in index.columns:
            migrator.migrate(migrator.drop_index('posts', index.name))
    migrator.migrate(migrator.drop_column('posts', 'task_id'))
