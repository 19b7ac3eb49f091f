"""Addresses that somebody wants and has not confirmed, and those that may still be undone.

An index finds the accounts whose address of before nobody has confirmed.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class EmailChange(Model):
    id = AutoField()
    user = ForeignKeyField(User, on_delete='CASCADE')
    nonce = CharField(max_length=22, unique=True)
    old_address = CharField(max_length=254, default='')
    address = CharField(max_length=254)
    requested_at = DateTimeField()
    sent_at = DateTimeField(null=True)
    settled_at = DateTimeField(null=True, index=True)
    confirmed_at = DateTimeField(null=True)
    undone_at = DateTimeField(null=True)

    class Meta:
        table_name = 'email_changes'


def up(migrator, db):
    db.bind([User, EmailChange], bind_refs=False, bind_backrefs=False)
    db.create_tables([EmailChange])
    which = "email <> '' AND email_confirmed_at IS NULL"
    db.execute_sql(f'CREATE INDEX users_unconfirmed ON users (email_grace_ends_at) WHERE {which}')


def down(migrator, db):
    db.bind([User, EmailChange], bind_refs=False, bind_backrefs=False)
    db.execute_sql('DROP INDEX users_unconfirmed')
    db.drop_tables([EmailChange])
