"""What programs were answered whose requests have a key, so that one that comes twice has one effect."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class IdempotencyKey(Model):
    id = AutoField()
    user = ForeignKeyField(User, on_delete='CASCADE', index=False)
    key = CharField(max_length=64)
    request = CharField(max_length=64)
    answer = TextField(default='')
    at = DateTimeField(index=True)

    class Meta:
        table_name = 'idempotency_keys'
        indexes = ((('user', 'key'), True),)


def up(migrator, db):
    db.bind([User, IdempotencyKey], bind_refs=False, bind_backrefs=False)
    db.create_tables([IdempotencyKey])


def down(migrator, db):
    db.bind([User, IdempotencyKey], bind_refs=False, bind_backrefs=False)
    db.drop_tables([IdempotencyKey])
