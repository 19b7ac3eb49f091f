"""A row for each conversation and each of its two people, so that an inbox need not read all their messages.

And the messages of a person in their order, and the unread ones of a conversation, by an index each.

Triggers on `messages` keep the rows right, whichever release writes. On PostgreSQL they work a statement at a time: a
statement that marks a thousand messages as read would write the same row a thousand times. A later migration that makes
`messages` anew, as SQLite does for some changes, has to put the triggers back.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

INDEXES = {
    'message_sender_id_created_at_id': 'messages (sender_id, created_at, id)',
    'message_recipient_id_created_at_id': 'messages (recipient_id, created_at, id)',
    'messages_unread': 'messages (recipient_id, sender_id) WHERE read_at IS NULL',
    'conversations_unread': 'conversations (user_id, unread) WHERE unread > 0',
}
EVENTS = {'insert': ('new',), 'update': ('old', 'new'), 'delete': ('old',)}
# Both sides of messages: whose conversation, with whom, the message, and how many unread ones it adds to it.
SIDES = (
    'SELECT recipient_id AS user_id, sender_id AS partner_id, id, CASE WHEN read_at IS NULL THEN 1 ELSE 0 END AS unread FROM {0}'
    ' UNION ALL SELECT sender_id, recipient_id, id, 0 FROM {0}'
)
# By one row of `messages`, on SQLite.
NEW, OLD = ('SELECT {0}.id AS id, {0}.sender_id AS sender_id, {0}.recipient_id AS recipient_id, {0}.read_at AS read_at'.format(row)
            for row in ('NEW', 'OLD'))


class _User(Model):
    class Meta:
        table_name = 'users'


def up(migrator, db):
    class Conversation(Model):
        user = ForeignKeyField(_User, on_delete='CASCADE', index=False, backref='+')
        partner = ForeignKeyField(_User, on_delete='CASCADE', backref='+')
        latest_id = IntegerField()
        unread = IntegerField(constraints=[SQL('DEFAULT 0')])
        class Meta:
            database = db
            table_name = 'conversations'
            indexes = ((('user', 'partner'), True), (('user', 'latest_id'), False))
    db.create_tables([Conversation])
    # Before the rows are made: that waits for those who write messages just now, and keeps others from it.
    create_triggers(db)
    db.execute_sql(add('messages'))
    for name, columns in INDEXES.items():
        db.execute_sql(f'CREATE INDEX {name} ON {columns}')
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql('ANALYZE conversations')


def down(migrator, db):
    for event in EVENTS:
        if isinstance(db, PostgresqlDatabase):
            db.execute_sql(f'DROP TRIGGER conversations_{event} ON messages')
            db.execute_sql(f'DROP FUNCTION conversations_{event}()')
        else:
            db.execute_sql(f'DROP TRIGGER conversations_{event}')
    migrator.migrate(migrator.drop_table('conversations'))
    for name, columns in INDEXES.items():
        if columns.startswith('messages '):
            db.execute_sql(f'DROP INDEX {name}')


def create_triggers(db):
    for event, rows in EVENTS.items():
        name = f'conversations_{event}'
        if isinstance(db, PostgresqlDatabase):
            actions = actions_of(event, 'old_rows', 'new_rows')
            db.execute_sql(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {'; '.join(actions)}; RETURN NULL; END$$")
            known = ' '.join(f'{row} TABLE AS {row}_rows' for row in rows)
            db.execute_sql(
                f'CREATE TRIGGER {name} AFTER {event} ON messages REFERENCING {known} FOR EACH STATEMENT EXECUTE FUNCTION {name}()'
            )
        else:
            actions = actions_of(event, f'({OLD})', f'({NEW})')
            when = 'update OF read_at' if event == 'update' else event
            condition = ' WHEN (OLD.read_at IS NULL) <> (NEW.read_at IS NULL)' if event == 'update' else ''
            db.execute_sql(f"CREATE TRIGGER {name} AFTER {when} ON messages{condition} BEGIN {'; '.join(actions)}; END")


def actions_of(event, old, new):
    """What follows from rows of `messages` as they were and as they are."""
    return {
        'insert': [add(new)],
        'update': [count(old, '-'), count(new, '+')],
        'delete': [count(old, '-'), go_back(old), f'DELETE FROM conversations WHERE latest_id = 0 AND {within(old)}'],
    }[event]


def add(messages):
    """Let conversations have these messages. In the order of a key, so that no two who do so wait for each other."""
    return (
        'INSERT INTO conversations (user_id, partner_id, latest_id, unread)'
        f' SELECT user_id, partner_id, max(id), sum(unread) FROM ({SIDES.format(messages)}) AS sides WHERE TRUE'
        ' GROUP BY user_id, partner_id ORDER BY user_id, partner_id'
        ' ON CONFLICT (user_id, partner_id) DO UPDATE SET unread = conversations.unread + excluded.unread, latest_id ='
        ' CASE WHEN excluded.latest_id > conversations.latest_id THEN excluded.latest_id ELSE conversations.latest_id END'
    )


def count(messages, sign):
    """Count the unread ones of these messages, or count them off."""
    return (
        f'UPDATE conversations SET unread = conversations.unread {sign} counted.number FROM'
        f' (SELECT recipient_id, sender_id, count(*) AS number FROM {messages} AS m WHERE read_at IS NULL'
        ' GROUP BY recipient_id, sender_id) AS counted'
        ' WHERE conversations.user_id = counted.recipient_id AND conversations.partner_id = counted.sender_id'
    )


def go_back(messages):
    """Where the latest message is one of these, which are gone, it is the one before them; 0 if there is none."""
    latest = ' UNION ALL '.join(
        f'SELECT id FROM (SELECT id FROM messages WHERE sender_id = conversations.{sender} AND recipient_id = conversations.{recipient}'
        f' ORDER BY created_at DESC, id DESC LIMIT 1) AS {sender}'
        for sender, recipient in (('user_id', 'partner_id'), ('partner_id', 'user_id'))
    )
    return (
        f'UPDATE conversations SET latest_id = coalesce((SELECT max(id) FROM ({latest}) AS left_over), 0)'
        f' WHERE {within(messages)} AND latest_id IN (SELECT id FROM {messages} AS m)'
    )


def within(messages):
    """The condition that a conversation is one of those of these messages."""
    return f'(user_id, partner_id) IN (SELECT user_id, partner_id FROM ({SIDES.format(messages + " AS m")}) AS sides)'
