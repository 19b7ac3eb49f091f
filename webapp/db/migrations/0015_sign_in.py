"""What names are like each other, and how often passwords were guessed."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

BATCH = 1000


class RateCount(Model):
    key = CharField(primary_key=True, max_length=32)
    number = IntegerField()
    until = DoubleField(index=True)

    class Meta:
        table_name = 'rate_counts'


class User(Model):
    id = AutoField()
    username_key = CharField(max_length=30, unique=True)
    skeleton = CharField(max_length=30, null=True)

    class Meta:
        table_name = 'users'


def up(migrator, db):
    db.bind([RateCount, User], bind_refs=False, bind_backrefs=False)
    db.create_tables([RateCount])
    migrator.migrate(
        migrator.add_column('users', 'skeleton', CharField(max_length=30, null=True)),
        migrator.add_index('users', ('skeleton',)),
    )
    skeleton = User.username_key
    for separator in '._-':
        skeleton = fn.REPLACE(skeleton, separator, '')
    User.update(skeleton=skeleton).execute()


def down(migrator, db):
    db.bind([RateCount], bind_refs=False, bind_backrefs=False)
    index = next(index for index in db.get_indexes('users') if index.columns == ['skeleton'])
    migrator.migrate(migrator.drop_index('users', index.name), migrator.drop_column('users', 'skeleton'))
    db.drop_tables([RateCount])
