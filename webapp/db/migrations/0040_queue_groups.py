"""Guests who came from one network take turns as one person would, and run no more at once than one may.

A release before writes no group: then a task has the turns of its owner alone, as all tasks of before do.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

PARTY = 'COALESCE(queue_group, user_id)'


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('users', 'network_group', IntegerField(null=True)),
        migrator.add_column('tasks', 'queue_group', IntegerField(null=True)),
    )
    db.execute_sql(f'CREATE INDEX tasks_in_turn ON tasks (state, {PARTY}, turn) WHERE turn IS NOT NULL')
    running(db, f'{PARTY}, queue_group, user_id')  # with all of it, as PostgreSQL then need not read the table


def down(migrator, db):
    running(db, 'user_id')
    db.execute_sql('DROP INDEX tasks_in_turn')
    migrator.migrate(migrator.drop_column('tasks', 'queue_group'), migrator.drop_column('users', 'network_group'))


def running(db, columns):
    db.execute_sql('DROP INDEX tasks_running')
    db.execute_sql(f'CREATE INDEX tasks_running ON tasks ({columns}) WHERE owner IS NOT NULL')
