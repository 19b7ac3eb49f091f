"""Mail to many: drafts and mails, their files, each delivery, and what the daily limit is counted by."""

from peewee import *  # noqa: F403 - a migration is a frozen copy and uses most field types


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = 'users'

    class Task(Model):
        id = UUIDField(primary_key=True)
        class Meta:
            database = db
            table_name = 'tasks'

    class Mailing(Model):
        user = ForeignKeyField(User, on_delete='CASCADE')
        task = ForeignKeyField(Task, null=True, on_delete='CASCADE')
        original = ForeignKeyField('self', null=True, on_delete='CASCADE')
        draft_key = CharField(max_length=40, null=True, unique=True)
        form_key = CharField(max_length=32, default='')
        recipients = TextField(default='')
        subject = CharField(max_length=200, default='')
        template = CharField(max_length=40, default='welcome')
        body = TextField(default='')
        send_at = DateTimeField(null=True)
        text = TextField(default='')
        html = TextField(default='')
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'mailings'

    class MailingFile(Model):
        mailing = ForeignKeyField(Mailing, on_delete='CASCADE')
        name = CharField(max_length=200)
        content_type = CharField(max_length=100)
        size = IntegerField()
        data = BlobField()
        class Meta:
            database = db
            table_name = 'mailing_files'

    class Delivery(Model):
        mailing = ForeignKeyField(Mailing, on_delete='CASCADE', index=False)
        address = CharField(max_length=254)
        state = CharField(max_length=8, default='waiting')
        error = CharField(max_length=300, default='')
        tries = IntegerField(default=0)
        tried_at = DateTimeField(null=True)
        message_id = CharField(max_length=60)
        class Meta:
            database = db
            table_name = 'deliveries'
            indexes = ((('mailing', 'address'), True), (('mailing', 'state'), False))

    class MailCount(Model):
        user = ForeignKeyField(User, on_delete='CASCADE', index=False)
        mailing = ForeignKeyField(Mailing, null=True, on_delete='SET NULL')
        number = IntegerField()
        at = DateTimeField()
        class Meta:
            database = db
            table_name = 'mail_counts'
            indexes = ((('user', 'at'), False),)

    db.create_tables([Mailing, MailingFile, Delivery, MailCount])


def down(migrator, db):
    for table in ('mail_counts', 'deliveries', 'mailing_files', 'mailings'):
        migrator.migrate(migrator.drop_table(table))
