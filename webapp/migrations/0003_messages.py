"""Private messages."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class _User(Model):
    class Meta:
        table_name = 'users'


def up(migrator, db):
    class Message(Model):
        sender = ForeignKeyField(_User, on_delete='CASCADE', index=False)
        recipient = ForeignKeyField(_User, on_delete='CASCADE', index=False)
        body = TextField()
        created_at = DateTimeField()
        read_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'messages'
            indexes = ((('sender', 'recipient', 'created_at', 'id'), False), (('recipient', 'read_at'), False))
    db.create_tables([Message])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('messages'))
