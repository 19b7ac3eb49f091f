"""The cause by which a task has failed, and what all tasks of one cause have in common."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

FINGERPRINT = 'fingerprint'
INDEXES = {
    'tasks_failed_by': 'tasks (fingerprint, finished_at) WHERE fingerprint IS NOT NULL',
    'tasks_of_failure': 'tasks (fingerprint, created_at, id) WHERE fingerprint IS NOT NULL',
}


class FailureGroup(Model):
    fingerprint = CharField(primary_key=True, max_length=16)
    kind = CharField(max_length=60)
    exception = CharField(max_length=200)
    place = CharField(max_length=200)
    message = CharField(max_length=200)
    traceback = TextField()
    first_at = DateTimeField()
    first_release = CharField(max_length=40)
    last_at = DateTimeField()
    last_release = CharField(max_length=40)

    class Meta:
        table_name = 'failure_groups'
        indexes = (
            (('last_at',), False),
            (('kind', 'last_at'), False),
        )


def up(migrator, db):
    db.bind([FailureGroup], bind_refs=False, bind_backrefs=False)
    db.create_tables([FailureGroup])
    # NULL without a default: neither database touches a row for it, nor rebuilds the table.
    migrator.migrate(migrator.add_column('tasks', FINGERPRINT, CharField(max_length=16, null=True)))
    for name, what in INDEXES.items():
        db.execute_sql(f'CREATE INDEX {name} ON {what}')


def down(migrator, db):
    db.bind([FailureGroup], bind_refs=False, bind_backrefs=False)
    for name in INDEXES:
        db.execute_sql(f'DROP INDEX {name}')
    migrator.migrate(migrator.drop_column('tasks', FINGERPRINT))
    db.drop_tables([FailureGroup])
