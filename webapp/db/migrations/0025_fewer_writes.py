"""The end of a task writes less: no copy for the release before 0023, and no place in an index for times that are null.

What that release writes to `notices` is still copied to `notifications` by the triggers of 0023, so that a process of it
that ends late loses nothing. The other way, what is told here is no longer copied: it was a row with four indexes for
each end of a task.
"""

from peewee import PostgresqlDatabase

SEPARATELY = '(SELECT id FROM notices WHERE {} FOR NO KEY UPDATE SKIP LOCKED)'
WAS_READ = 'OLD.read_at IS NULL AND NEW.read_at IS NOT NULL'
WAS_TOLD = (
    'NEW.told_at IS NOT NULL AND (OLD.told_at IS NULL OR OLD.told_at <> NEW.told_at)'
    " AND NEW.kind IN ('message', 'succeeded', 'failed', 'mail')"
)
NEW_TO_NOTICES = (
    'NOT EXISTS (SELECT 1 FROM notices WHERE user_id = NEW.user_id AND created_at = NEW.told_at'
    ' AND task_id IS NEW.task_id AND sender_id IS NEW.sender_id)'
)
OF_SENDER = 'user_id = NEW.user_id AND sender_id = NEW.sender_id AND read_at IS NULL'
# Of each the event, on which condition, and what it did; as 0023 made them.
TRIGGERS = {
    'notifications_copy_told': (
        'told_at',
        WAS_TOLD,
        'INSERT INTO notices (user_id, kind, text, task_id, sender_id, created_at)'
        " VALUES (NEW.user_id, NEW.kind, coalesce(NEW.text, ''), NEW.task_id, NEW.sender_id, NEW.told_at)",
    ),
    'notifications_copy_replaced': (
        'told_at',
        f'NEW.sender_id IS NOT NULL AND {WAS_TOLD}',
        f'DELETE FROM notices WHERE {OF_SENDER} AND created_at < NEW.told_at',
    ),
    'notifications_copy_read': ('read_at', f'NEW.task_id IS NOT NULL AND {WAS_READ}', 'task_id = NEW.task_id AND read_at IS NULL'),
    'notifications_copy_read_message': ('read_at', f'NEW.sender_id IS NOT NULL AND {WAS_READ}', OF_SENDER),
}


def up(migrator, db):
    for name in TRIGGERS:
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'DROP TRIGGER {name} ON notifications')
            db.execute_sql(f'DROP FUNCTION {name}()')
        else:
            db.execute_sql(f'DROP TRIGGER {name}')
    db.execute_sql('DROP INDEX tasks_state_run_at')
    db.execute_sql('CREATE INDEX tasks_due ON tasks (state, run_at) WHERE run_at IS NOT NULL')


def down(migrator, db):
    db.execute_sql('DROP INDEX tasks_due')
    db.execute_sql('CREATE INDEX "tasks_state_run_at" ON "tasks" ("state", "run_at")')
    for name, (column, condition, action) in TRIGGERS.items():
        if column == 'read_at':
            which = f'id IN {SEPARATELY.format(action)}' if isinstance(db, PostgresqlDatabase) else action
            action = f'UPDATE notices SET read_at = NEW.read_at WHERE {which}'
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {action}; RETURN NULL; END$$')
            then = f'FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND ({condition})) EXECUTE FUNCTION {name}()'
        else:
            condition = f'{condition} AND {NEW_TO_NOTICES}' if name == 'notifications_copy_told' else condition
            then = f'WHEN {condition} BEGIN {action}; END'
        db.execute_sql(f'CREATE TRIGGER {name} AFTER UPDATE OF {column} ON notifications {then}')
