"""What operators decide of all tasks of one kind: that it is paused until a time, and its limits."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class KindControl(Model):
    name = CharField(primary_key=True, max_length=60)
    paused_at = DateTimeField(null=True)
    paused_until = DateTimeField(null=True)
    reason = CharField(max_length=300, default='')
    stops_running = BooleanField(default=False)
    max_running = IntegerField(null=True)
    max_running_per_person = IntegerField(null=True)
    max_starts_per_second = FloatField(null=True)
    next_start_at = DateTimeField(null=True)
    told_until = IntegerField(null=True)

    class Meta:
        table_name = 'kind_controls'


def up(migrator, db):
    db.bind([KindControl], bind_refs=False, bind_backrefs=False)
    db.create_tables([KindControl])


def down(migrator, db):
    db.bind([KindControl], bind_refs=False, bind_backrefs=False)
    db.drop_tables([KindControl])
