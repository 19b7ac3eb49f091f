"""What operators did at the desk, and what they were refused."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class AuditEntry(Model):
    id = AutoField()
    at = DateTimeField(index=True)
    actor = ForeignKeyField(User, null=True, on_delete='SET NULL', index=False)
    command_user = CharField(max_length=60, default='')
    role = CharField(max_length=10, null=True)
    via = CharField(max_length=8)
    token_id = IntegerField(null=True)
    network = CharField(max_length=50, default='')
    request_id = CharField(max_length=128, null=True)
    action = CharField(max_length=40)
    target = CharField(max_length=100)
    about = ForeignKeyField(User, null=True, on_delete='SET NULL', index=False)
    count = IntegerField(default=1)
    before = JSONField(null=True)
    after = JSONField(null=True)
    reason = CharField(max_length=300, default='')
    outcome = CharField(max_length=8)
    error = CharField(max_length=300, default='')

    class Meta:
        table_name = 'audit_entries'
        indexes = (
            (('actor', 'id'), False),
            (('about', 'id'), False),
            (('action', 'id'), False),
            (('target', 'id'), False),
        )


def up(migrator, db):
    db.bind([User, AuditEntry], bind_refs=False, bind_backrefs=False)
    db.create_tables([AuditEntry])


def down(migrator, db):
    db.bind([User, AuditEntry], bind_refs=False, bind_backrefs=False)
    db.drop_tables([AuditEntry])
