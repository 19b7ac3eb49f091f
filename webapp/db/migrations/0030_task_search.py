"""A person's tasks, those of one kind, and those that wait, are found in their order by index, however many children
they also have.

In place of an index in that order with all rows, deleting a person finds their tasks by one that is smaller.
"""

SHOWN = 'parent_id IS NULL AND NOT quiet'
NEW = (
    ('tasks_shown', 'user_id, created_at, id', SHOWN),
    ('tasks_of_kind', 'user_id, name, created_at, id', SHOWN),
    ('tasks_queued', 'user_id, state, turn', f"state = 'pending' AND finished_at IS NULL AND {SHOWN}"),
)
OLD = ('user_id', 'created_at', 'id')


def up(migrator, db):
    replace(migrator, db, OLD, ('user_id',))
    for name, columns, which in NEW:
        db.execute_sql(f'CREATE INDEX {name} ON tasks ({columns}) WHERE {which}')


def down(migrator, db):
    for name, *_ in NEW:
        db.execute_sql(f'DROP INDEX {name}')
    replace(migrator, db, ('user_id',), OLD)


def replace(migrator, db, old, new):
    # `tasks_running` has the column, too, and only some of the rows.
    [index] = [index for index in db.get_indexes('tasks') if tuple(index.columns) == old and index.name != 'tasks_running']
    migrator.migrate(migrator.add_index('tasks', new), migrator.drop_index('tasks', index.name))
