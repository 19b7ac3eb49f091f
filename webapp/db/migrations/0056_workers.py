"""Which worker ran a task, what more is known of workers, and which tasks are to be ended whatever their runs do."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

COLUMNS = ('release', 'memory', 'quiet_at')


class Task(Model):
    id = UUIDField(primary_key=True)

    class Meta:
        table_name = 'tasks'


class ForceEnd(Model):
    id = AutoField()
    task = ForeignKeyField(Task, unique=True, on_delete='CASCADE')
    fencing_token = CharField(max_length=32)
    reason = CharField(max_length=300, default='')
    is_told = BooleanField(default=False)
    asked_at = DateTimeField()

    class Meta:
        table_name = 'force_ends'


def up(migrator, db):
    # NULL without a default: neither database touches a row for it, nor rebuilds the table.
    migrator.migrate(
        migrator.add_column('tasks', 'worker', CharField(max_length=32, null=True)),
        migrator.add_column('workers', 'release', CharField(max_length=40, null=True)),
        migrator.add_column('workers', 'memory', BigIntegerField(null=True)),
        migrator.add_column('workers', 'quiet_at', DateTimeField(null=True)),
    )
    db.bind([Task, ForceEnd], bind_refs=False, bind_backrefs=False)
    db.create_tables([ForceEnd])


def down(migrator, db):
    db.execute_sql('DROP TABLE force_ends')
    migrator.migrate(migrator.drop_column('tasks', 'worker'))
    migrator.migrate(*(migrator.drop_column('workers', name) for name in COLUMNS))
