"""Accounts that are to be deleted, what is put aside and hidden until then, and guests who have gone, found by index.

The release before sees such an account as one of another name that nobody can sign in to: name, address and password are
moved out of its row.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class Deletion(Model):
    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete='CASCADE')
    nonce = CharField(max_length=22, unique=True)
    username = CharField(max_length=30)
    username_key = CharField(max_length=30, unique=True)
    email = CharField(max_length=254, default='')
    email_confirmed_at = DateTimeField(null=True)
    email_grace_ends_at = DateTimeField(null=True)
    password_hash = CharField(max_length=255, default='')
    requested_at = DateTimeField()
    due_at = DateTimeField()
    look_at = DateTimeField(index=True)
    stopped_at = DateTimeField(null=True)
    begun_at = DateTimeField(null=True)
    hidden_at = DateTimeField(null=True)
    returned_at = DateTimeField(null=True)

    class Meta:
        table_name = 'deletions'


INDEXES = (
    ('deletions_email', "deletions (LOWER(email)) WHERE email <> ''"),
    ('deletions_going_on', 'deletions (id) WHERE stopped_at IS NULL'),
    ('deletions_hiding', 'deletions (id) WHERE hidden_at IS NULL'),
    ('deletions_returned', 'deletions (id) WHERE returned_at IS NOT NULL'),
    ('posts_shown', 'posts (created_at, id) WHERE NOT hidden'),
    ('posts_hidden', 'posts (user_id) WHERE hidden'),
    ('users_idle_guests', "users (seen_at) WHERE password_hash = '' AND deletion_due_at IS NULL"),
)


def up(migrator, db):
    db.bind([User, Deletion], bind_refs=False, bind_backrefs=False)
    db.create_tables([Deletion])
    migrator.migrate(migrator.add_column('users', 'deletion_due_at', DateTimeField(null=True)))
    kind = 'BOOLEAN' if isinstance(db, PostgresqlDatabase) else 'INTEGER'
    db.execute_sql(f'ALTER TABLE posts ADD COLUMN hidden {kind} NOT NULL DEFAULT FALSE')
    for name, what in INDEXES:
        db.execute_sql(f'CREATE INDEX {name} ON {what}')


def down(migrator, db):
    db.bind([User, Deletion], bind_refs=False, bind_backrefs=False)
    for name in ('users_idle_guests', 'posts_shown', 'posts_hidden'):
        db.execute_sql(f'DROP INDEX {name}')
    db.execute_sql('ALTER TABLE posts DROP COLUMN hidden')
    migrator.migrate(migrator.drop_column('users', 'deletion_due_at'))
    db.drop_tables([Deletion])
