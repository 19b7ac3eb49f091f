"""What was made from which form, so that one that comes twice is known; how many people a draft goes to."""

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

    class FormKey(Model):
        user = ForeignKeyField(User, on_delete='CASCADE', index=False)
        key = CharField(max_length=64)
        location = TextField(default='')
        task = ForeignKeyField(Task, null=True, on_delete='CASCADE')
        at = DateTimeField(index=True)
        class Meta:
            database = db
            table_name = 'form_keys'
            indexes = ((('user', 'key'), True),)

    db.create_tables([FormKey])
    migrator.migrate(migrator.add_column('mailings', 'people', IntegerField(null=True)))
    # The drafts of changes had the key of what they change, so that what was typed into them seemed to be sent already.
    db.execute_sql("UPDATE mailings SET form_key = '' WHERE original_id IS NOT NULL")


def down(migrator, db):
    migrator.migrate(migrator.drop_column('mailings', 'people'), migrator.drop_table('form_keys'))
