"""Posts and messages are found by the words in them."""

from webapp import fulltext  # an index is made of the text alone: there is nothing in it to be frozen here


def up(migrator, db):
    for table in ('posts', 'messages'):
        fulltext.create(db, table)


def down(migrator, db):
    for table in ('messages', 'posts'):
        fulltext.drop(db, table)
