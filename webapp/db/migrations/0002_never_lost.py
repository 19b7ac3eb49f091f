"""Leases, checkpoints, retries, schedules, the line, families of tasks; artifacts that expire; the sweeper's leader."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class _Task(Model):
    id = UUIDField(primary_key=True)
    class Meta:
        table_name = 'tasks'


def _self(**options):
    return ForeignKeyField(_Task, _Task.id, null=True, on_delete='CASCADE', **options)


def _index(db, *columns):
    """The name of an index, which each database makes up for itself."""
    return next(index.name for index in db.get_indexes('tasks') if tuple(index.columns) == columns)


def up(migrator, db):
    add = migrator.add_column
    # What an older worker was running has no lease: it waits for a new one, from its beginning.
    db.execute_sql("UPDATE tasks SET state = 'canceled', owner = NULL, unique_key = NULL, finished_at = updated_at WHERE state = 'canceling'")
    db.execute_sql("UPDATE tasks SET state = 'pending', owner = NULL, done = 0, total = NULL WHERE state = 'in_progress'")
    migrator.migrate(
        migrator.drop_index('tasks', _index(db, 'state', 'pushed_at')),
        migrator.drop_column('tasks', 'pushed_at'),
        migrator.drop_index('tasks', _index(db, 'unique_key')),
        migrator.rename_column('tasks', 'unique_key', 'held_key'),
        migrator.add_index('tasks', ('held_key',), unique=True),
        add('tasks', 'unique_key', CharField(null=True, max_length=120)),
        add('tasks', 'parent_id', _self()),
        add('tasks', 'root_id', _self()),
        add('tasks', 'kind', CharField(max_length=8, default='single')),
        add('tasks', 'step', IntegerField(default=0)),
        add('tasks', 'cursor', JSONField(null=True)),
        add('tasks', 'result', JSONField(null=True)),
        add('tasks', 'retries', IntegerField(default=0)),
        add('tasks', 'rescues', IntegerField(default=0)),
        add('tasks', 'priority', IntegerField(default=0)),
        add('tasks', 'turn', BigIntegerField(null=True)),
        add('tasks', 'lease_until', DateTimeField(null=True)),
        add('tasks', 'run_at', DateTimeField(null=True)),
        add('tasks', 'worked', FloatField(default=0)),
        migrator.add_index('tasks', ('state', 'turn')),
        migrator.add_index('tasks', ('user_id', 'state', 'turn')),
        migrator.add_index('tasks', ('state', 'run_at')),
        migrator.add_index('tasks', ('finished_at',)),
        add('artifacts', 'number', IntegerField(default=0)),
        add('artifacts', 'expires_at', DateTimeField(null=True)),
        add('artifacts', 'expired_at', DateTimeField(null=True)),
        migrator.add_index('artifacts', ('expires_at',)),
        add('users', 'mail_after', IntegerField(null=True)),
    )
    db.execute_sql("UPDATE tasks SET unique_key = held_key, turn = 0 WHERE state = 'pending'")

    class Leader(Model):
        role = CharField(primary_key=True, max_length=40)
        token = CharField(max_length=32)
        until = DateTimeField()
        class Meta:
            database = db
            table_name = 'leaders'
    db.create_tables([Leader])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('leaders'))
    for table, columns in {
        'users': ('mail_after',),
        'artifacts': ('number', 'expires_at', 'expired_at'),
        'tasks': ('unique_key', 'parent_id', 'root_id', 'kind', 'step', 'cursor', 'result', 'retries', 'rescues', 'priority', 'turn', 'lease_until', 'run_at', 'worked'),
    }.items():
        for index in db.get_indexes(table):
            if set(index.columns) & {*columns, 'finished_at'}:
                migrator.migrate(migrator.drop_index(table, index.name))
        for column in columns:
            migrator.migrate(migrator.drop_column(table, column))
    migrator.migrate(
        migrator.drop_index('tasks', _index(db, 'held_key')),
        migrator.rename_column('tasks', 'held_key', 'unique_key'),
        migrator.add_index('tasks', ('unique_key',), unique=True),
        migrator.add_column('tasks', 'pushed_at', DateTimeField(null=True)),
        migrator.add_index('tasks', ('state', 'pushed_at')),
    )
