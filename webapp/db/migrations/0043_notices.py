"""Mails about tasks and messages are counted for each person, the mail server's pace is kept, and how often a mail about
an account was tried; a request for a new password has the network that it came from, as a digest."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class NoticeCount(Model):
    user = ForeignKeyField(User, primary_key=True, on_delete='CASCADE')
    number = IntegerField()
    until = DateTimeField(index=True)
    digest_key = CharField(max_length=50, null=True)

    class Meta:
        table_name = 'notice_counts'


class MailPace(Model):
    id = IntegerField(primary_key=True)
    per_minute = DoubleField()
    changed_at = DoubleField()
    next_at = DoubleField()

    class Meta:
        table_name = 'mail_paces'


TABLES = [NoticeCount, MailPace]


def up(migrator, db):
    db.bind(TABLES, bind_refs=False, bind_backrefs=False)
    db.create_tables(TABLES)
    db.execute_sql('ALTER TABLE account_mails ADD COLUMN tries INTEGER DEFAULT 0 NOT NULL')
    db.execute_sql('ALTER TABLE account_mails ADD COLUMN network VARCHAR(32)')


def down(migrator, db):
    db.execute_sql('ALTER TABLE account_mails DROP COLUMN network')
    db.execute_sql('ALTER TABLE account_mails DROP COLUMN tries')
    db.bind(TABLES, bind_refs=False, bind_backrefs=False)
    db.drop_tables(TABLES)
