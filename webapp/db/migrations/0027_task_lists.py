"""A person's lists of tasks and their alerts are found by index, whatever states the tasks are in.

Each index has only the rows that its list may show: neither children nor internal tasks, which so cost no entry. They
take the place of two that had all rows, and an entry for each move of a task.
"""

SHOWN = 'parent_id IS NULL AND NOT quiet'
NEW = (
    ('tasks_unfinished', 'user_id, state, created_at, id', f'finished_at IS NULL AND {SHOWN}'),
    ('tasks_ended', 'user_id, state, finished_at, id', f'finished_at IS NOT NULL AND {SHOWN}'),
    ('tasks_alerts', 'user_id, finished_at', f'finished_at IS NOT NULL AND dismissed_at IS NULL AND {SHOWN}'),
)
OLD = (('user_id', 'dismissed_at', 'finished_at'), ('user_id', 'finished_at', 'id'))


def up(migrator, db):
    for name, columns, which in NEW:
        db.execute_sql(f'CREATE INDEX {name} ON tasks ({columns}) WHERE {which}')
    for columns in OLD:
        [index] = [index for index in db.get_indexes('tasks') if tuple(index.columns) == columns]
        migrator.migrate(migrator.drop_index('tasks', index.name))


def down(migrator, db):
    for columns in OLD:
        migrator.migrate(migrator.add_index('tasks', columns))
    for name, *_ in NEW:
        db.execute_sql(f'DROP INDEX {name}')
