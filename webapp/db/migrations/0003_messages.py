"""Private messages; notices of what happened, and how people hear of them."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class _User(Model):
    class Meta:
        table_name = 'users'


class _Task(Model):
    id = UUIDField(primary_key=True)
    class Meta:
        table_name = 'tasks'


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

    class Notice(Model):
        user = ForeignKeyField(_User, on_delete='CASCADE', index=False)
        kind = CharField(max_length=10)
        text = TextField()
        task = ForeignKeyField(_Task, null=True, on_delete='CASCADE')
        sender = ForeignKeyField(_User, null=True, on_delete='CASCADE', backref='+')
        created_at = DateTimeField()
        read_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'notices'
            indexes = ((('user', 'created_at', 'id'), False), (('user', 'read_at'), False))
    db.create_tables([Notice])
    migrator.migrate(migrator.add_column('users', 'hearing', JSONField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('users', 'hearing'))
    migrator.migrate(migrator.drop_table('notices'))
    migrator.migrate(migrator.drop_table('messages'))
