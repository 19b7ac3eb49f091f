"""The first schema: people, posts, tasks with their timeline, artifacts, notifications."""

import uuid

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    class User(Model):
        username = CharField(unique=True, max_length=30)
        username_key = CharField(unique=True, max_length=30)
        email = CharField(max_length=254, default='')
        password_hash = CharField(default='')
        session_key = CharField(unique=True, max_length=43)
        about = CharField(max_length=500, default='')
        time_zone = CharField(max_length=64, default='UTC')
        created_at = DateTimeField()
        seen_at = DateTimeField()
        changes = BigIntegerField(default=0)
        class Meta:
            database = db
            table_name = 'users'
    db.create_tables([User])

    class Task(Model):
        id = UUIDField(primary_key=True, default=uuid.uuid4)
        user = ForeignKeyField(User, on_delete='CASCADE', index=False)
        name = CharField(max_length=60)
        title = CharField(max_length=200)
        arguments = JSONField(default=dict)
        state = CharField(max_length=16, default='pending')
        stage = CharField(max_length=200, default='')
        done = IntegerField(default=0)
        total = IntegerField(null=True)
        attempts = IntegerField(default=0)
        owner = CharField(null=True, max_length=32)
        error = TextField(default='')
        unique_key = CharField(unique=True, null=True, max_length=120)
        created_at = DateTimeField()
        pushed_at = DateTimeField(null=True)
        started_at = DateTimeField(null=True)
        updated_at = DateTimeField()
        finished_at = DateTimeField(null=True)
        dismissed_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'tasks'
            indexes = ((('user', 'dismissed_at', 'created_at'), False), (('user', 'created_at', 'id'), False), (('state', 'pushed_at'), False))
    db.create_tables([Task])

    class Artifact(Model):
        id = UUIDField(primary_key=True, default=uuid.uuid4)
        task = ForeignKeyField(Task, on_delete='CASCADE')
        kind = CharField(max_length=8, default='file')
        name = CharField(max_length=200)
        content_type = CharField(max_length=100, default='application/octet-stream')
        size = BigIntegerField(default=0)
        created_at = DateTimeField()
        completed_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'artifacts'
    db.create_tables([Artifact])

    class ArtifactChunk(Model):
        artifact = ForeignKeyField(Artifact, on_delete='CASCADE', index=False)
        number = IntegerField()
        data = BlobField()
        class Meta:
            database = db
            table_name = 'artifact_chunks'
            primary_key = CompositeKey('artifact', 'number')
    db.create_tables([ArtifactChunk])

    class Notification(Model):
        user = ForeignKeyField(User, on_delete='CASCADE', index=False)
        name = CharField(max_length=40)
        scope = CharField(max_length=36, default='')
        payload = JSONField(default=dict)
        updated_at = DateTimeField()
        task = ForeignKeyField(Task, null=True, on_delete='CASCADE')
        class Meta:
            database = db
            table_name = 'notifications'
            indexes = ((('user', 'name', 'scope'), True),)
    db.create_tables([Notification])

    class Post(Model):
        user = ForeignKeyField(User, on_delete='CASCADE', index=False)
        body = TextField()
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'posts'
            indexes = ((('user', 'created_at', 'id'), False), (('created_at', 'id'), False))
    db.create_tables([Post])

    class TaskEvent(Model):
        task = ForeignKeyField(Task, on_delete='CASCADE')
        at = DateTimeField()
        kind = CharField(max_length=16)
        text = CharField(max_length=500)
        class Meta:
            database = db
            table_name = 'task_events'
    db.create_tables([TaskEvent])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('task_events'))
    migrator.migrate(migrator.drop_table('posts'))
    migrator.migrate(migrator.drop_table('notifications'))
    migrator.migrate(migrator.drop_table('artifact_chunks'))
    migrator.migrate(migrator.drop_table('artifacts'))
    migrator.migrate(migrator.drop_table('tasks'))
    migrator.migrate(migrator.drop_table('users'))

