"""Mail about tasks that have ended, until it is sent; the form in which a scheduled mail was changed."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = 'users'

    class Task(Model):
        id = UUIDField(primary_key=True)
        class Meta:
            database = db
            table_name = 'tasks'

    class OutcomeMail(Model):
        user = ForeignKeyField(User, on_delete='CASCADE')
        task = ForeignKeyField(Task, on_delete='CASCADE')
        ended_at = DateTimeField()
        mail_key = CharField(max_length=50, null=True)
        class Meta:
            database = db
            table_name = 'outcome_mails'

    db.create_tables([OutcomeMail])
    migrator.migrate(migrator.add_column('mailings', 'change_key', CharField(max_length=32, null=True)))


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column('mailings', 'change_key'),
        migrator.drop_table('outcome_mails'),
    )
