"""Tokens by which programs act for people."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class ApiToken(Model):
    id = AutoField()
    user = ForeignKeyField(User, on_delete='CASCADE', index=False)
    name = CharField(max_length=60)
    token_hash = CharField(max_length=64, unique=True)
    last_four = CharField(max_length=4)
    scope = CharField(max_length=255)
    created_at = DateTimeField()
    expires_at = DateTimeField(index=True)
    last_used_at = DateTimeField(null=True)
    last_network = CharField(max_length=50, default='')
    revoked_at = DateTimeField(null=True)
    reminded_at = DateTimeField(null=True)

    class Meta:
        table_name = 'api_tokens'
        indexes = ((('user', 'expires_at'), False),)


def up(migrator, db):
    db.bind([User, ApiToken], bind_refs=False, bind_backrefs=False)
    db.create_tables([ApiToken])
    db.execute_sql('CREATE INDEX api_tokens_to_remind ON api_tokens (expires_at) WHERE reminded_at IS NULL')


def down(migrator, db):
    db.bind([User, ApiToken], bind_refs=False, bind_backrefs=False)
    db.drop_tables([ApiToken])
