"""A poll finds its answer by its session alone, without the row of its person; and people's sessions are found in order.

So what a release before writes to that row has to reach where polls look. Triggers see to that: a new password ends the
sessions that began with the old one, and what a release from before 0026 counts goes into a slot of its own. A later
migration that makes `users` anew, as SQLite does for some changes, has to put the triggers back.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

SLOT = -1  # no process counts there
FOLD = f'INSERT INTO change_counts (user_id, slot, number) SELECT id, {SLOT}, changes FROM users WHERE changes <> 0'
COUNTED = (
    f'INSERT INTO change_counts (user_id, slot, number) VALUES (NEW.id, {SLOT}, NEW.changes)'
    ' ON CONFLICT (user_id, slot) DO UPDATE SET number = NEW.changes'
)
# Of each the column, and what follows from another value there. Ends are in whole seconds, so that none lies ahead.
TRIGGERS = {
    'users_count_changes': ('changes', COUNTED),
    'users_end_sessions': (
        'session_key',
        'UPDATE sessions SET ends_at = {now} WHERE user_id = NEW.id AND account_key <> NEW.session_key AND ends_at > {now}',
    ),
}


def up(migrator, db):
    is_postgres = isinstance(db, PostgresqlDatabase)
    now = "date_trunc('second', now() AT TIME ZONE 'UTC')" if is_postgres else "datetime('now')"
    for name, (column, action) in TRIGGERS.items():
        action, condition = action.format(now=now), f'OLD.{column} <> NEW.{column}'
        if is_postgres:
            db.execute_sql(f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {action}; RETURN NULL; END$$')
            then = f'FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()'
        else:
            then = f'WHEN {condition} BEGIN {action}; END'
        db.execute_sql(f'CREATE TRIGGER {name} AFTER UPDATE OF {column} ON users {then}')
    db.execute_sql(FOLD)
    replace(migrator, db, ('user_id',), ('user_id', 'ends_at'))


def down(migrator, db):
    for name in TRIGGERS:
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'DROP TRIGGER {name} ON users')
            db.execute_sql(f'DROP FUNCTION {name}()')
        else:
            db.execute_sql(f'DROP TRIGGER {name}')
    db.execute_sql(f'DELETE FROM change_counts WHERE slot = {SLOT}')
    replace(migrator, db, ('user_id', 'ends_at'), ('user_id',))


def replace(migrator, db, old, new):
    [index] = [index for index in db.get_indexes('sessions') if tuple(index.columns) == old]
    migrator.migrate(migrator.add_index('sessions', new), migrator.drop_index('sessions', index.name))
