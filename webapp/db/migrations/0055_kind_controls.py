"""What operators decide of all tasks of one kind: that it is paused until a time, and its limits.

The tasks of one kind that wait are found by index, in the order of the line, with since when each does, and by person.
The latter takes the place of a larger index, which had all tasks that ever were. By that one the release before stepped
from one person who waits to the next, to tell them of their place; without it, it reads what each of these has in line,
and tells the same. Its claims never went by it. It knows of no pause and no limit: what is held, its workers start.
"""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class KindControl(Model):
    name = CharField(primary_key=True, max_length=60)
    paused_at = DateTimeField(null=True)
    paused_until = DateTimeField(null=True)
    reason = CharField(max_length=300, default='')
    stops_running = BooleanField(default=False)
    max_running = IntegerField(null=True)
    max_running_per_person = IntegerField(null=True)
    max_starts_per_second = DoubleField(null=True)
    next_start = DoubleField(null=True)
    told_until = IntegerField(null=True)

    class Meta:
        table_name = 'kind_controls'


def up(migrator, db):
    db.bind([KindControl], bind_refs=False, bind_backrefs=False)
    db.create_tables([KindControl])
    db.execute_sql('CREATE INDEX tasks_in_line ON tasks (state, name, turn, ready_at) WHERE turn IS NOT NULL')
    db.execute_sql('CREATE INDEX tasks_who_wait ON tasks (state, user_id, name, turn) WHERE turn IS NOT NULL')
    db.execute_sql('DROP INDEX tasks_state_user_id_turn')


def down(migrator, db):
    db.bind([KindControl], bind_refs=False, bind_backrefs=False)
    db.execute_sql('CREATE INDEX tasks_state_user_id_turn ON tasks (state, user_id, turn)')
    db.execute_sql('DROP INDEX tasks_in_line')
    db.execute_sql('DROP INDEX tasks_who_wait')
    db.drop_tables([KindControl])
