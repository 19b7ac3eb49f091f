"""Accounts that can stand on the open internet: confirmed addresses, a second factor, a role; and the mails about them.

An address of before has no `email_confirmed_at`; it may be used until `email_grace_ends_at`.
"""

from datetime import datetime, timedelta, timezone

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

GRACE = timedelta(days=30)
GRACED = 'email_grace_ends_at'


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class AccountMail(Model):
    id = AutoField()
    user = ForeignKeyField(User, null=True, on_delete='CASCADE')
    address = CharField(max_length=254)
    kind = CharField(max_length=30)
    arguments = JSONField(default=dict)
    created_at = DateTimeField(index=True)
    mail_key = CharField(max_length=50, null=True)

    class Meta:
        table_name = 'account_mails'


COLUMNS = {
    'email_confirmed_at': DateTimeField(null=True),
    GRACED: DateTimeField(null=True),
    'role': CharField(max_length=10, null=True),
    'totp_secret': CharField(max_length=255, null=True),
    'totp_last_step': IntegerField(null=True),
}


def up(migrator, db):
    db.bind([User, AccountMail], bind_refs=False, bind_backrefs=False)
    db.create_tables([AccountMail])
    migrator.migrate(*(migrator.add_column('users', name, field) for name, field in COLUMNS.items() if name != GRACED))
    until = (datetime.now(timezone.utc) + GRACE).replace(microsecond=0, tzinfo=None)
    if isinstance(db, PostgresqlDatabase):  # it writes no row for that; an account without an address can have one, too
        db.execute_sql(f"ALTER TABLE users ADD COLUMN {GRACED} TIMESTAMP DEFAULT '{until}'")
        db.execute_sql(f'ALTER TABLE users ALTER COLUMN {GRACED} DROP DEFAULT')
    else:
        migrator.migrate(migrator.add_column('users', GRACED, COLUMNS[GRACED]))
        db.execute_sql(f"UPDATE users SET {GRACED} = '{until}' WHERE email <> ''")


def down(migrator, db):
    db.bind([User, AccountMail], bind_refs=False, bind_backrefs=False)
    migrator.migrate(*(migrator.drop_column('users', name) for name in COLUMNS))
    db.drop_tables([AccountMail])
