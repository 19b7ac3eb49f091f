"""Lists of tasks for programs: the children of one, its timeline, and everybody's, each found in order by index.

The first two take the place of smaller indexes, so that more is written only for a task that is no child.
"""

NEW = {
    'tasks_children': 'tasks (parent_id, created_at, id) WHERE parent_id IS NOT NULL',
    'task_events_of_task': 'task_events (task_id, id)',
    'tasks_of_all': 'tasks (created_at, id) WHERE parent_id IS NULL AND NOT quiet',
}
OLD = {'tasks_parent_id': 'tasks (parent_id)', 'taskevent_task_id': 'task_events (task_id)'}


def up(migrator, db):
    replace(db, OLD, NEW)


def down(migrator, db):
    replace(db, NEW, OLD)


def replace(db, old, new):
    for name, what in new.items():
        db.execute_sql(f'CREATE INDEX {name} ON {what}')
    for name in old:
        db.execute_sql(f'DROP INDEX {name}')
