"""One record for each person and subject: what `notices` listed becomes columns of `notifications`.

The release before goes on with `notices`. Triggers copy what it writes there to `notifications`, and what this release
writes the other way: each lists, counts and marks the same while both run, and so does the older one after a rollback.
No copy is copied back: on PostgreSQL a trigger does not follow from another one, and on SQLite it writes only what is
newer than what is there. A later migration that makes one of the two tables anew, as SQLite does for some changes, has
to put the triggers back.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

COLUMNS = ('sender_id', 'kind', 'phrase', 'text', 'told_at', 'read_at')
INDEXES = {
    'notifications_feed': '(user_id, updated_at, id)',
    'notifications_told': '(user_id, told_at, id) WHERE told_at IS NOT NULL',
    'notifications_unread': '(user_id, kind) WHERE told_at IS NOT NULL AND read_at IS NULL',
    'notifications_sender': '(sender_id) WHERE sender_id IS NOT NULL',
}
WAS_READ = 'OLD.read_at IS NULL AND NEW.read_at IS NOT NULL'
WAS_TOLD = (
    'NEW.told_at IS NOT NULL AND (OLD.told_at IS NULL OR OLD.told_at <> NEW.told_at)'
    " AND NEW.kind IN ('message', 'succeeded', 'failed', 'mail')"  # that the release before knows
)
NEW_TO_NOTICES = (
    'NOT EXISTS (SELECT 1 FROM notices WHERE user_id = NEW.user_id AND created_at = NEW.told_at'
    ' AND task_id IS NEW.task_id AND sender_id IS NEW.sender_id)'
)
# Of each the table, the event, on which condition.
TRIGGERS = {
    'notices_copy_new': ('notices', 'INSERT', 'NEW.task_id IS NOT NULL OR NEW.sender_id IS NOT NULL'),
    'notices_copy_read': ('notices', 'UPDATE OF read_at', WAS_READ),
    'notices_copy_gone': ('notices', 'DELETE', 'OLD.sender_id IS NOT NULL'),
    'notifications_copy_told': ('notifications', 'UPDATE OF told_at', WAS_TOLD),
    'notifications_copy_replaced': ('notifications', 'UPDATE OF told_at', f'NEW.sender_id IS NOT NULL AND {WAS_TOLD}'),
    'notifications_copy_read': ('notifications', 'UPDATE OF read_at', f'NEW.task_id IS NOT NULL AND {WAS_READ}'),
    'notifications_copy_read_message': ('notifications', 'UPDATE OF read_at', f'NEW.sender_id IS NOT NULL AND {WAS_READ}'),
}


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = 'users'

    sender = ForeignKeyField(User, null=True, on_delete='CASCADE', index=False, field=User.id)
    migrator.migrate(
        migrator.add_column('notifications', 'sender_id', sender),
        migrator.add_column('notifications', 'kind', CharField(max_length=20, null=True)),
        migrator.add_column('notifications', 'phrase', JSONField(null=True)),
        migrator.add_column('notifications', 'text', TextField(null=True)),
        migrator.add_column('notifications', 'told_at', DateTimeField(null=True)),
        migrator.add_column('notifications', 'read_at', DateTimeField(null=True)),
    )
    # Before the rows are copied: that waits for those who write notices just now, and keeps others from it.
    create_triggers(db, 'notices')
    # On PostgreSQL a join is several times faster than the index lookups of a million upserts.
    latest = 'SELECT max(id) FROM notices WHERE task_id IS NOT NULL OR sender_id IS NOT NULL GROUP BY task_id, sender_id, user_id'
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(
            'UPDATE notifications SET kind = n.kind, text = n.text, told_at = n.created_at, read_at = n.read_at FROM notices n'
            f" WHERE n.task_id = notifications.task_id AND notifications.name = 'task_progress' AND n.id IN ({latest})"
        )
        latest += ' HAVING sender_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM notifications t WHERE t.task_id = notices.task_id)'
    db.execute_sql(tell(f'SELECT {values(db, "notices")} FROM notices WHERE id IN ({latest})', ('kind', 'text', 'told_at', 'read_at')))
    create_triggers(db, 'notifications')
    for name, columns in INDEXES.items():
        db.execute_sql(f'CREATE INDEX {name} ON notifications {columns}')


def down(migrator, db):
    for name, (table, _, _) in TRIGGERS.items():
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'DROP TRIGGER {name} ON {table}')
            db.execute_sql(f'DROP FUNCTION {name}()')
        else:
            db.execute_sql(f'DROP TRIGGER {name}')
    for name in INDEXES:
        db.execute_sql(f'DROP INDEX {name}')
    db.execute_sql("DELETE FROM notifications WHERE name = 'conversation'")
    for column in COLUMNS:
        db.execute_sql(f'ALTER TABLE notifications DROP COLUMN {column}')


def create_triggers(db, of):
    for name, (table, event, condition) in TRIGGERS.items():
        if table != of:
            continue
        action = action_of(db, name)
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {action}; RETURN NULL; END$$')
            then = f'FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND ({condition})) EXECUTE FUNCTION {name}()'
        else:
            condition = f'{condition} AND {NEW_TO_NOTICES}' if name == 'notifications_copy_told' else condition
            then = f'WHEN {condition} BEGIN {action}; END'
        db.execute_sql(f'CREATE TRIGGER {name} AFTER {event} ON {table} {then}')


def action_of(db, name):
    """What a trigger does."""
    record = f'user_id = NEW.user_id AND name = {name_of("NEW")} AND scope = {scope_of(db, "NEW")}'
    sender = f'user_id = NEW.user_id AND sender_id = NEW.sender_id AND read_at IS NULL'
    return {
        'notices_copy_new': tell(f'SELECT {values(db, "NEW")} WHERE TRUE', ('kind', 'text', 'told_at', 'read_at', 'updated_at')),
        'notices_copy_read': read(db, 'notifications', f'{record} AND read_at IS NULL AND told_at <= NEW.created_at'),
        # The release before replaces an unread notice of a message by a new one, or by none.
        'notices_copy_gone': (
            'UPDATE notifications SET kind = NULL, text = NULL, phrase = NULL, told_at = NULL'
            f" WHERE user_id = OLD.user_id AND name = 'conversation' AND scope = {scope_of(db, 'OLD')} AND told_at = OLD.created_at"
        ),
        'notifications_copy_told': (
            'INSERT INTO notices (user_id, kind, text, task_id, sender_id, created_at)'
            " VALUES (NEW.user_id, NEW.kind, coalesce(NEW.text, ''), NEW.task_id, NEW.sender_id, NEW.told_at)"
        ),
        'notifications_copy_replaced': f'DELETE FROM notices WHERE {sender} AND created_at < NEW.told_at',
        'notifications_copy_read': read(db, 'notices', 'task_id = NEW.task_id AND read_at IS NULL'),
        'notifications_copy_read_message': read(db, 'notices', sender),
    }[name]


def tell(rows, changes):
    """Let the records of these rows be listed, unless they tell something newer."""
    columns = 'user_id, name, scope, payload, task_id, sender_id, kind, text, told_at, read_at, updated_at'
    return (
        f'INSERT INTO notifications ({columns}) {rows} ON CONFLICT (user_id, name, scope) DO UPDATE SET phrase = NULL, '
        + ', '.join(f'{column} = excluded.{column}' for column in changes)
        + ' WHERE notifications.told_at IS NULL OR notifications.told_at < excluded.told_at'
    )


def values(db, row):
    """The columns of a record, from a row of `notices`."""
    columns = ('task_id', 'sender_id', 'kind', 'text', 'created_at', 'read_at', 'created_at')
    return ', '.join((f'{row}.user_id', name_of(row), scope_of(db, row), "'{}'", *(f'{row}.{name}' for name in columns)))


def read(db, table, which):
    """Mark rows as read; on PostgreSQL those that nobody else has locked, since whoever reads holds locks."""
    if isinstance(db, PostgresqlDatabase):
        which = f'id IN (SELECT id FROM {table} WHERE {which} FOR NO KEY UPDATE SKIP LOCKED)'
    return f'UPDATE {table} SET read_at = NEW.read_at WHERE {which}'


def name_of(row):
    return f"CASE WHEN {row}.task_id IS NULL THEN 'conversation' ELSE 'task_progress' END"


def scope_of(db, row):
    """The id of the task with its dashes, or that of the sender."""
    if isinstance(db, PostgresqlDatabase):
        return f'coalesce({row}.task_id::text, {row}.sender_id::text)'
    ends = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    dashed = " || '-' || ".join(f'substr({row}.task_id, {start}, {length})' for start, length in ends)
    return f'coalesce({dashed}, CAST({row}.sender_id AS TEXT))'
