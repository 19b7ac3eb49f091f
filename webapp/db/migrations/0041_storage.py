"""How many bytes each person stores, kept by triggers, whichever release writes: of artifacts, attachments and mails.

`storage_counts` has a row for each person and kind. On PostgreSQL it may have several, of which whoever counts takes one
that nobody has locked: so those who store something for one person at once never wait for each other. A person's files
are found in the order of their size and of their age: an artifact has its owner itself, and an attachment a row in
`stored_attachments`, as what stands behind its data is slow to read on SQLite. A later migration that makes one of these
tables anew, as SQLite does for some changes, has to put the triggers back.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

LENGTH = {True: 'octet_length({0}.{1})', False: 'length(CAST({0}.{1} AS BLOB))'}
TEXTS = ('recipients', 'body', 'text', 'html')
# Of each table: whose a row is, what it is, and which columns change how much it counts.
COUNTED = {
    'artifacts': ('owner_id', "CASE WHEN {0}.kind = 'upload' THEN 'upload' ELSE 'made' END", ('size', 'expired_at', 'owner_id')),
    'stored_attachments': ('user_id', "'attachment'", ()),
    'mailings': ('user_id', "'text'", TEXTS),
}
INDEXES = {
    'artifacts_owner_size': 'artifacts (owner_id, size, id) WHERE expired_at IS NULL',
    'artifacts_owner_created': 'artifacts (owner_id, created_at, id) WHERE expired_at IS NULL',
}
OWNER = 'UPDATE artifacts SET owner_id = (SELECT user_id FROM tasks WHERE tasks.id = artifacts.task_id)'
ATTACHED = (
    'INSERT INTO stored_attachments (file_id, user_id, size, created_at)'
    ' SELECT {0}.id, mailings.user_id, {0}.size, mailings.created_at FROM {1} mailings {2} mailings.id = {0}.mailing_id'
)


class _User(Model):
    class Meta:
        table_name = 'users'


class _MailingFile(Model):
    class Meta:
        table_name = 'mailing_files'


def up(migrator, db):
    class StorageCount(Model):
        user = ForeignKeyField(_User, on_delete='CASCADE', index=False, backref='+')
        kind = CharField(max_length=12)
        size = BigIntegerField()
        class Meta:
            database = db
            table_name = 'storage_counts'
            indexes = ((('user', 'kind'), False),)

    class StoredAttachment(Model):
        file = ForeignKeyField(_MailingFile, on_delete='CASCADE', primary_key=True, backref='+')
        user = ForeignKeyField(_User, on_delete='CASCADE', index=False, backref='+')
        size = BigIntegerField()
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'stored_attachments'
            indexes = ((('user', 'size', 'file'), False), (('user', 'created_at', 'file'), False))

    is_postgres = isinstance(db, PostgresqlDatabase)
    # From here on nobody writes an artifact, on PostgreSQL, nor a mail or an attachment.
    migrator.migrate(
        migrator.add_column('artifacts', 'owner_id', IntegerField(null=True)),
        migrator.add_column('artifacts', 'deleted_at', DateTimeField(null=True)),
    )
    if is_postgres:
        db.execute_sql('LOCK TABLE mailings, mailing_files IN SHARE ROW EXCLUSIVE MODE')
    db.create_tables([StorageCount, StoredAttachment])
    db.execute_sql(OWNER)
    count(db)
    for name, columns in INDEXES.items():
        db.execute_sql(f'CREATE INDEX {name} ON {columns}')
    (create_on_postgres if is_postgres else create_on_sqlite)(db)
    if is_postgres:
        db.execute_sql('ANALYZE storage_counts, stored_attachments')


def down(migrator, db):
    is_postgres = isinstance(db, PostgresqlDatabase)
    names = {'artifacts_owned': 'artifacts', 'files_stored': 'mailing_files'}
    for table, (_, _, columns) in COUNTED.items():
        names |= {f'{table}_stored_{event}': table for event in ('insert', 'delete', *(['update'] if columns else []))}
    for name, table in names.items():
        db.execute_sql(f'DROP TRIGGER {name} ON {table}' if is_postgres else f'DROP TRIGGER {name}')
        if is_postgres:
            db.execute_sql(f'DROP FUNCTION {name}()')
    if is_postgres:
        db.execute_sql('DROP FUNCTION count_storage(integer, text, bigint)')
    for name in INDEXES:
        db.execute_sql(f'DROP INDEX {name}')
    migrator.migrate(migrator.drop_table('stored_attachments'), migrator.drop_table('storage_counts'))
    for column in ('owner_id', 'deleted_at'):
        db.execute_sql(f'ALTER TABLE artifacts DROP COLUMN {column}')


def count(db):
    """Count all that there is."""
    db.execute_sql(ATTACHED.format('mailing_files', 'mailing_files JOIN', 'ON'))
    for table, (owner, kind, _) in COUNTED.items():
        number = f'sum({size(db, table, table)})'
        db.execute_sql(
            f'INSERT INTO storage_counts (user_id, kind, size) SELECT {owner}, {kind.format(table)}, {number}'
            f' FROM {table} WHERE {owner} IS NOT NULL GROUP BY 1, 2 HAVING {number} > 0'
        )


def size(db, table, row):
    """How many bytes a row counts for."""
    if table == 'mailings':
        length = LENGTH[isinstance(db, PostgresqlDatabase)]
        return '(' + ' + '.join(length.format(row, column) for column in TEXTS) + ')'
    if table == 'artifacts':
        return f'CASE WHEN {row}.expired_at IS NULL AND {row}.owner_id IS NOT NULL THEN {row}.size ELSE 0 END'
    return f'{row}.size'


def create_on_sqlite(db):
    db.execute_sql(f'CREATE TRIGGER artifacts_owned AFTER INSERT ON artifacts WHEN NEW.owner_id IS NULL BEGIN {OWNER} WHERE id = NEW.id; END')
    db.execute_sql(f"CREATE TRIGGER files_stored AFTER INSERT ON mailing_files BEGIN {ATTACHED.format('NEW', '', 'WHERE')}; END")
    for table, (owner, kind, columns) in COUNTED.items():
        new, old = (size(db, table, row) for row in ('NEW', 'OLD'))
        events = {'insert': ('NEW', new), 'delete': ('OLD', f'-({old})')}
        if columns:
            events['update'] = 'NEW', f'({new}) - ({old})'
        for event, (row, number) in events.items():
            when = f"update OF {', '.join(columns)}" if event == 'update' else event
            whose = f'user_id = {row}.{owner} AND kind = {kind.format(row)}'
            db.execute_sql(
                f'CREATE TRIGGER {table}_stored_{event} AFTER {when} ON {table} WHEN {number} <> 0 BEGIN'
                f' UPDATE storage_counts SET size = size + {number} WHERE {whose};'
                f' INSERT INTO storage_counts (user_id, kind, size) SELECT id, {kind.format(row)}, {number} FROM users'
                f' WHERE id = {row}.{owner} AND NOT EXISTS (SELECT 1 FROM storage_counts WHERE {whose}); END'
            )


def create_on_postgres(db):
    """An account that is being deleted is counted for no more: by then nothing refers to it."""
    db.execute_sql("""
        CREATE FUNCTION count_storage(whose integer, what text, more bigint) RETURNS void LANGUAGE plpgsql AS $$BEGIN
            UPDATE storage_counts SET size = size + more WHERE id = (
                SELECT id FROM storage_counts WHERE user_id = whose AND kind = what
                ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
            IF NOT FOUND THEN
                INSERT INTO storage_counts (user_id, kind, size) SELECT id, what, more FROM users WHERE id = whose;
            END IF;
        END$$""")
    trigger(db, 'artifacts_owned', 'BEFORE INSERT ON artifacts FOR EACH ROW WHEN (NEW.owner_id IS NULL)',
            'NEW.owner_id := (SELECT user_id FROM tasks WHERE id = NEW.task_id); RETURN NEW')
    trigger(db, 'files_stored', 'AFTER INSERT ON mailing_files FOR EACH ROW', ATTACHED.format('NEW', '', 'WHERE') + '; RETURN NULL')
    for table, (owner, kind, columns) in COUNTED.items():
        new, old = (size(db, table, row) for row in ('NEW', 'OLD'))
        counted = f'PERFORM count_storage(NEW.{owner}, {kind.format("NEW")}, %s); RETURN NULL'
        trigger(db, f'{table}_stored_insert', f'AFTER INSERT ON {table} FOR EACH ROW WHEN ({new} <> 0)', counted % new)
        if columns:
            of = ', '.join(columns)
            more = f'({new}) - ({old})'
            trigger(db, f'{table}_stored_update', f'AFTER UPDATE OF {of} ON {table} FOR EACH ROW WHEN ({more} <> 0)', counted % more)
        # A statement at a time: one that deletes all that a person had would write the same row for each.
        trigger(db, f'{table}_stored_delete', f'AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone FOR EACH STATEMENT',
                f'PERFORM count_storage(whose, what, -number) FROM (SELECT gone.{owner} AS whose, {kind.format("gone")} AS what,'
                f' sum({size(db, table, "gone")})::bigint AS number FROM gone GROUP BY 1, 2) AS lost WHERE number <> 0; RETURN NULL')


def trigger(db, name, when, action):
    db.execute_sql(f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${"BEGIN " + action}; END$$')
    db.execute_sql(f'CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()')
