"""Who gets no mail to many any more, from one sender or from the whole site; and which counts are of what was sent.

A delivery that is left out for that is `refused` to the release before, which knows no other word for it; `skipped` says
why.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class Suppression(Model):
    id = AutoField()
    sender = ForeignKeyField(User, null=True, on_delete='CASCADE', index=False)
    address = CharField(max_length=320)
    reason = CharField(max_length=12)
    created_at = DateTimeField()

    class Meta:
        table_name = 'mail_suppressions'
        indexes = ((('address', 'sender'), True), (('sender', 'created_at', 'id'), False))


def up(migrator, db):
    db.bind([User, Suppression], bind_refs=False, bind_backrefs=False)
    db.create_tables([Suppression])
    db.execute_sql('CREATE UNIQUE INDEX mail_suppressions_of_site ON mail_suppressions (address) WHERE sender_id IS NULL')
    db.execute_sql('ALTER TABLE deliveries ADD COLUMN skipped VARCHAR(12)')
    kind = 'BOOLEAN' if isinstance(db, PostgresqlDatabase) else 'INTEGER'
    db.execute_sql(f'ALTER TABLE mail_counts ADD COLUMN is_of_sent {kind}')


def down(migrator, db):
    db.bind([User, Suppression], bind_refs=False, bind_backrefs=False)
    db.execute_sql('ALTER TABLE mail_counts DROP COLUMN is_of_sent')
    db.execute_sql('ALTER TABLE deliveries DROP COLUMN skipped')
    db.drop_tables([Suppression])
