"""Errors: the kinds that this site has had, how often, and when its admins are to be told."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class ErrorReport(Model):
    kind = CharField(primary_key=True, max_length=32)
    summary = CharField(max_length=255)
    details = TextField()
    first_at = DateTimeField()
    last_at = DateTimeField(index=True)
    count = IntegerField()
    told = IntegerField(default=0)
    quiet_until = DateTimeField()
    due_at = DateTimeField(null=True, index=True)

    class Meta:
        table_name = 'error_reports'


def up(migrator, db):
    db.bind([ErrorReport], bind_refs=False, bind_backrefs=False)
    db.create_tables([ErrorReport])


def down(migrator, db):
    db.bind([ErrorReport], bind_refs=False, bind_backrefs=False)
    db.drop_tables([ErrorReport])
