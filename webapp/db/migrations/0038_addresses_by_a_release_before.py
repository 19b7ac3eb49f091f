"""What a release before writes as an address is not confirmed, and has no grace, whatever the one before it had.

That release knows of neither, and leaves both as they are. So a trigger takes them away, unless they are written, too. A
later migration that makes `users` anew, as SQLite does for some changes, has to put it back.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

NAME = 'users_forget_confirmation'
COLUMNS = 'email_confirmed_at', 'email_grace_ends_at'


def up(migrator, db):
    is_postgres = isinstance(db, PostgresqlDatabase)
    same = 'IS NOT DISTINCT FROM' if is_postgres else 'IS'
    there = ' OR '.join(f'NEW.{column} IS NOT NULL' for column in COLUMNS)
    kept = ' AND '.join(f'NEW.{column} {same} OLD.{column}' for column in COLUMNS)
    condition = f'OLD.email <> NEW.email AND ({there}) AND {kept}'
    if is_postgres:
        forget = ' '.join(f'NEW.{column} := NULL;' for column in COLUMNS)
        db.execute_sql(f'CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {forget} RETURN NEW; END$$')
        then = f'BEFORE UPDATE OF email ON users FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {NAME}()'
    else:
        forget = ', '.join(f'{column} = NULL' for column in COLUMNS)
        then = f'AFTER UPDATE OF email ON users WHEN {condition} BEGIN UPDATE users SET {forget} WHERE id = NEW.id; END'
    db.execute_sql(f'CREATE TRIGGER {NAME} {then}')


def down(migrator, db):
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(f'DROP TRIGGER {NAME} ON users')
        db.execute_sql(f'DROP FUNCTION {NAME}()')
    else:
        db.execute_sql(f'DROP TRIGGER {NAME}')
