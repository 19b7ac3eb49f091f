"""Whose confirmed address one is, is found by index, however anybody spells it, where a password is forgotten."""


def up(migrator, db):
    db.execute_sql('CREATE INDEX users_confirmed_email ON users (LOWER(email)) WHERE email_confirmed_at IS NOT NULL')


def down(migrator, db):
    db.execute_sql('DROP INDEX users_confirmed_email')
