"""Recovery codes: what signs in, once each, in place of a code of the authenticator app. Nobody has any before."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class RecoveryCode(Model):
    id = AutoField()
    user = ForeignKeyField(User, on_delete='CASCADE')
    salt = CharField(max_length=32)
    code_hash = CharField(max_length=64)
    created_at = DateTimeField()
    used_at = DateTimeField(null=True)

    class Meta:
        table_name = 'recovery_codes'


def up(migrator, db):
    db.bind([User, RecoveryCode], bind_refs=False, bind_backrefs=False)
    db.create_tables([RecoveryCode])


def down(migrator, db):
    db.bind([User, RecoveryCode], bind_refs=False, bind_backrefs=False)
    db.drop_tables([RecoveryCode])
