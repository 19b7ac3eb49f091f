"""Lists of everybody's tasks, found in order by index: by state and kind, those within others, and the rescued.

A task is in one of the first two, and in the last two seldom.
"""

NEW = {
    'tasks_unfinished_of_all': '(state, name, created_at, id) WHERE finished_at IS NULL',
    'tasks_ended_of_all': '(state, name, finished_at, id) WHERE finished_at IS NOT NULL',
    'tasks_within': '(created_at, id) WHERE parent_id IS NOT NULL OR quiet',
    'tasks_rescued': '(created_at, id) WHERE rescues > 0',
}


def up(migrator, db):
    for name, what in NEW.items():
        db.execute_sql(f'CREATE INDEX {name} ON tasks {what}')


def down(migrator, db):
    for name in NEW:
        db.execute_sql(f'DROP INDEX {name}')
