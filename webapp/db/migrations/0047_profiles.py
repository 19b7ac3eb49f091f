"""Names that people had before, pictures of theirs, and whether others learn when they were last here."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types

HIDES_SEEN = 'hides_seen'
PICTURE_VERSION = 'picture_version'


class User(Model):
    id = AutoField()

    class Meta:
        table_name = 'users'


class FormerName(Model):
    id = AutoField()
    user = ForeignKeyField(User, on_delete='CASCADE')
    key = CharField(max_length=30, unique=True)
    skeleton = CharField(max_length=30, index=True)
    until = DateTimeField(index=True)

    class Meta:
        table_name = 'former_names'


class Picture(Model):
    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete='CASCADE')
    version = CharField(max_length=22, unique=True)
    large = BlobField()
    small = BlobField()
    made_at = DateTimeField()

    class Meta:
        table_name = 'pictures'


class PictureUpload(Model):
    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete='CASCADE')
    token = CharField(max_length=22)
    data = BlobField(null=True)
    attempts = IntegerField(constraints=[SQL('DEFAULT 0')])
    problem = TextField(null=True)
    problem_phrase = JSONField(null=True)
    sent_at = DateTimeField(index=True)

    class Meta:
        table_name = 'picture_uploads'


TABLES = [FormerName, Picture, PictureUpload]


def up(migrator, db):
    db.bind([User, *TABLES], bind_refs=False, bind_backrefs=False)
    db.create_tables(TABLES)
    db.execute_sql('CREATE INDEX picture_uploads_waiting ON picture_uploads (user_id) WHERE problem IS NULL')
    hides_seen = BooleanField(default=False, constraints=[SQL('DEFAULT FALSE')])
    migrator.migrate(
        migrator.add_column('users', PICTURE_VERSION, CharField(max_length=22, null=True)),
        # NOT NULL at once: else SQLite's table would be rebuilt, and lose its triggers.
        migrator.add_column('users', HIDES_SEEN, hides_seen, allow_not_null=True),
    )


def down(migrator, db):
    db.bind([User, *TABLES], bind_refs=False, bind_backrefs=False)
    migrator.migrate(migrator.drop_column('users', HIDES_SEEN), migrator.drop_column('users', PICTURE_VERSION))
    db.drop_tables(TABLES)
