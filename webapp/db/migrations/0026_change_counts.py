"""How often something has changed for a person, in several rows, so that what changes at once waits for no one row.

`users.changes` stays: it has what was counted before, and what the release before counts meanwhile.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class ChangeCount(Model):
    user = ForeignKeyField(User, on_delete='CASCADE', index=False)
    slot = SmallIntegerField()
    number = BigIntegerField()

    class Meta:
        table_name = 'change_counts'
        primary_key = CompositeKey('user', 'slot')


def up(migrator, db):
    db.bind([User, ChangeCount], bind_refs=False, bind_backrefs=False)
    db.create_tables([ChangeCount])


def down(migrator, db):
    db.bind([User, ChangeCount], bind_refs=False, bind_backrefs=False)
    db.execute_sql(
        'UPDATE users SET changes = changes + (SELECT SUM(number) FROM change_counts WHERE user_id = users.id)'
        ' WHERE id IN (SELECT user_id FROM change_counts)'
    )
    db.drop_tables([ChangeCount])
