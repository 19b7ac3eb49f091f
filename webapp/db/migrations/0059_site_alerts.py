"""What is wrong with the site, and since when; and who has a role is found without reading everybody."""

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
    value = DoubleField()
    allowed = DoubleField()
    due_at = DateTimeField(null=True)
    quiet_until = DateTimeField(null=True)

    class Meta:
        table_name = 'site_alerts'


def up(migrator, db):
    db.bind([SiteAlert], bind_refs=False, bind_backrefs=False)
    db.create_tables([SiteAlert])
    db.execute_sql('CREATE INDEX users_with_role ON users (role) WHERE role IS NOT NULL')


def down(migrator, db):
    db.execute_sql('DROP INDEX users_with_role')
    db.bind([SiteAlert], bind_refs=False, bind_backrefs=False)
    db.drop_tables([SiteAlert])
