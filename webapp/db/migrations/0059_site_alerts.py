"""What is wrong with the site, and since when; who has a role, and what is due of a kind or of a person."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class SiteAlert(Model):
    key = CharField(primary_key=True, max_length=100)
    rule = CharField(max_length=20)
    subject = CharField(max_length=60, default='')
    minute = DateTimeField(index=True)
    bad = IntegerField(default=0)
    good = IntegerField(default=0)
    since = DateTimeField(null=True)
    fired_at = DateTimeField(index=True, null=True)
    cleared_at = DateTimeField(null=True)
    over_at = DateTimeField(null=True)
    value = DoubleField()
    allowed = DoubleField()
    due_at = DateTimeField(null=True)
    quiet_until = DateTimeField(null=True)

    class Meta:
        table_name = 'site_alerts'


def up(migrator, db):
    db.bind([SiteAlert], bind_refs=False, bind_backrefs=False)
    db.create_tables([SiteAlert])
    db.execute_sql('CREATE INDEX tasks_due_of_kind ON tasks (name, state, run_at) WHERE run_at IS NOT NULL')
    db.execute_sql('CREATE INDEX tasks_due_of_user ON tasks (user_id, state, run_at) WHERE run_at IS NOT NULL')
    db.execute_sql('CREATE INDEX users_with_role ON users (role) WHERE role IS NOT NULL')


def down(migrator, db):
    for name in ('users_with_role', 'tasks_due_of_user', 'tasks_due_of_kind'):
        db.execute_sql(f'DROP INDEX {name}')
    db.bind([SiteAlert], bind_refs=False, bind_backrefs=False)
    db.drop_tables([SiteAlert])
