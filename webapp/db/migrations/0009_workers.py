"""The workers that there are; indexes for how many tasks of a person run, and for whose tasks wait."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def _drop_index(migrator, db, *columns):
    """Each database makes up the name of an index for itself."""
    index = next(index for index in db.get_indexes('tasks') if tuple(index.columns) == columns)
    migrator.migrate(migrator.drop_index('tasks', index.name))


def up(migrator, db):
    class Worker(Model):
        token = CharField(primary_key=True, max_length=32)
        host = CharField(max_length=255)
        pid = IntegerField()
        processes = IntegerField()
        started_at = DateTimeField()
        heard_at = DateTimeField()
        lives_until = DateTimeField(index=True)
        class Meta:
            database = db
            table_name = 'workers'
    db.create_tables([Worker])
    _drop_index(migrator, db, 'user_id', 'state', 'turn')
    migrator.migrate(
        migrator.add_index('tasks', ('state', 'user_id', 'turn')),
        migrator.add_index('tasks', ('user_id',), where=SQL('owner IS NOT NULL'), name='tasks_running'),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_table('workers'))
    _drop_index(migrator, db, 'user_id')
    _drop_index(migrator, db, 'state', 'user_id', 'turn')
    migrator.migrate(migrator.add_index('tasks', ('user_id', 'state', 'turn')))
