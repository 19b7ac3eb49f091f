"""How many tasks ended how in each minute and hour, how long they waited and ran, and what waited."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


class Counted(Model):
    at = DateTimeField()
    kind = CharField(max_length=60)
    outcome = CharField(max_length=20)
    count = IntegerField()
    wait_ms = BigIntegerField()
    run_ms = BigIntegerField()
    waits = TextField()
    runs = TextField()

    class Meta:
        primary_key = CompositeKey('kind', 'at', 'outcome')
        indexes = ((('at',), False),)


class TaskMinute(Counted):
    class Meta:
        table_name = 'task_minutes'


class TaskHour(Counted):
    class Meta:
        table_name = 'task_hours'


class TaskTotal(Model):
    kind = CharField(max_length=60)
    outcome = CharField(max_length=20)
    count = BigIntegerField()
    wait_ms = BigIntegerField()
    run_ms = BigIntegerField()
    waits = TextField()
    runs = TextField()

    class Meta:
        table_name = 'task_totals'
        primary_key = CompositeKey('kind', 'outcome')


class Line(Model):
    at = DateTimeField()
    kind = CharField(max_length=60)
    waiting = IntegerField()
    oldest_wait = IntegerField()
    running = IntegerField()
    capacity = IntegerField()
    workers = IntegerField()
    release = CharField(max_length=40)

    class Meta:
        primary_key = CompositeKey('kind', 'at')
        indexes = ((('at',), False),)


class LineMinute(Line):
    class Meta:
        table_name = 'line_minutes'


class LineHour(Line):
    class Meta:
        table_name = 'line_hours'


class Rollup(Model):
    name = CharField(primary_key=True, max_length=20)
    since = DateTimeField()
    until = DateTimeField()
    seen = DateTimeField()

    class Meta:
        table_name = 'rollups'


MODELS = [TaskMinute, TaskHour, TaskTotal, LineMinute, LineHour, Rollup]


def up(migrator, db):
    db.bind(MODELS, bind_refs=False, bind_backrefs=False)
    db.create_tables(MODELS)


def down(migrator, db):
    db.bind(MODELS, bind_refs=False, bind_backrefs=False)
    db.drop_tables(MODELS)
