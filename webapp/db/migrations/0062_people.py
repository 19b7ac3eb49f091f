"""Suspended accounts, quotas of one person, what came of a report; and people found by the beginning of a name."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

SUSPENDED_AT, QUOTAS, OUTCOME = 'suspended_at', 'own_quotas', 'outcome'
INDEXES = {
    'users_suspended': 'users (id) WHERE suspended_at IS NOT NULL',
    'suspensions_going_on': 'suspensions (id) WHERE settled_at IS NULL',
    'reports_of_subject': "reports (kind, subject_id) WHERE state = 'open'",
}
ON_POSTGRES = {'users_by_name': 'users (username_key COLLATE "C")'}


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class Task(Model):
    id = UUIDField(primary_key=True)

    class Meta:
        table_name = 'tasks'


class Suspension(Model):
    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete='CASCADE')
    reason = CharField(max_length=300)
    suspended_at = DateTimeField()
    lifted_at = DateTimeField(null=True)
    settled_at = DateTimeField(null=True)

    class Meta:
        table_name = 'suspensions'


class HeldTask(Model):
    id = AutoField()
    suspension = ForeignKeyField(Suspension, on_delete='CASCADE', index=False)
    task = ForeignKeyField(Task, unique=True, on_delete='CASCADE')
    run_at = DateTimeField(null=True)

    class Meta:
        table_name = 'held_tasks'
        indexes = ((('suspension', 'id'), False),)


BOUND = [User, Task, Suspension, HeldTask]


def up(migrator, db):
    db.bind(BOUND, bind_refs=False, bind_backrefs=False)
    db.create_tables([Suspension, HeldTask])
    migrator.migrate(
        migrator.add_column('users', SUSPENDED_AT, DateTimeField(null=True)),
        migrator.add_column('users', QUOTAS, JSONField(null=True)),
        # NOT NULL at once: else SQLite's table would be rebuilt, and lose its triggers.
        migrator.add_column(
            'reports', OUTCOME, CharField(max_length=10, default='', constraints=[SQL("DEFAULT ''")]),
            allow_not_null=True,
        ),
    )
    for name, what in _indexes(db).items():
        db.execute_sql(f'CREATE INDEX {name} ON {what}')


def down(migrator, db):
    db.bind(BOUND, bind_refs=False, bind_backrefs=False)
    for name in _indexes(db):
        db.execute_sql(f'DROP INDEX {name}')
    migrator.migrate(
        migrator.drop_column('reports', OUTCOME),
        migrator.drop_column('users', QUOTAS),
        migrator.drop_column('users', SUSPENDED_AT),
    )
    db.drop_tables([HeldTask, Suspension])


def _indexes(db):
    return INDEXES | (ON_POSTGRES if isinstance(db, PostgresqlDatabase) else {})
