"""Sessions as rows: each browser that is signed in, so that it can be shown to its owner, and ended.

A session of the release before gets its row at its next visit.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class Session(Model):
    id = AutoField()
    user = ForeignKeyField(User, on_delete='CASCADE')
    key_hash = CharField(max_length=64, unique=True)
    account_key = CharField(max_length=43)
    created_at = DateTimeField()
    authenticated_at = DateTimeField(null=True)
    seen_at = DateTimeField()
    ends_at = DateTimeField(index=True)
    browser = CharField(max_length=100, default='')
    network = CharField(max_length=50, default='')

    class Meta:
        table_name = 'sessions'


def up(migrator, db):
    db.bind([User, Session], bind_refs=False, bind_backrefs=False)
    db.create_tables([Session])


def down(migrator, db):
    db.bind([User, Session], bind_refs=False, bind_backrefs=False)
    db.drop_tables([Session])
