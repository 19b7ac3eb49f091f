"""The full-text index follows every write, whoever makes it, and can be rebuilt."""

from datetime import datetime

from peewee import SqliteDatabase
from playhouse.migrate import SqliteMigrator
from playhouse.migrate import migrate as change
from playhouse.migrations import Runner

from tasks.index_texts import index_texts
from webapp.db import MIGRATIONS, database, fulltext, migrate
from webapp.dev.factories import make_message, make_post, make_posts, make_task, make_user
from webapp.models import Message, Post, State, User
from webapp.models.search import newest


def _found(text: str, owner: User | None = None) -> list[str]:
    return [Post.get_by_id(post_id).body for post_id in newest(Post, text, 10_000, owner).ids]


def _messages_found(user: User, text: str) -> list[str]:
    return [Message.get_by_id(message_id).body for message_id in newest(Message, text, 100, user).ids]


def _posts() -> set[str]:
    return set(_found("hello"))


def test_index_follows_updates_and_deletions(each_database):
    post, other = make_post(body="Hello there"), make_post(body="Hello again")
    Post.update(body="Goodbye").where(Post.id == post.id).execute()
    assert _posts() == {"Hello again"}
    assert _found("good") == ["Goodbye"]
    other.delete_instance()
    assert not _posts()
    make_post(body="Hello anew")
    assert _posts() == {"Hello anew"}


def test_index_follows_a_rollback(each_database):
    with database.atomic() as transaction:
        make_post(body="Hello there")
        transaction.rollback()
    assert not _posts()


def test_index_follows_a_cascade(each_database):
    user, other = make_user(), make_user()
    make_posts(user, 300, body="hello")
    make_post(other, "hello from another")
    make_message(user, other, "hello")
    User.delete().where(User.id == user.id).execute()
    assert _posts() == {"hello from another"}
    assert not _messages_found(other, "hello")
    _assert_whole()


def test_index_follows_the_deletion_of_thousands(each_database):
    """As when an import is undone, or what is old is purged."""
    user = make_user()
    task = make_task(State.SUCCEEDED, user)
    make_posts(user, 3000, task=task.id)
    assert len(_found("post")) == 3000
    Post.delete().where(Post.task == task.id).execute()
    assert not _found("post")
    _assert_whole()


def _assert_whole() -> None:
    """SQLite's index has the terms of the rows that there are, and nothing else."""
    if not isinstance(database.obj, SqliteDatabase):
        return
    for table in fulltext.INDEXED:
        database.execute_sql(f"INSERT INTO {table}_terms({table}_terms) VALUES ('integrity-check')")
        database.execute_sql(f"CREATE VIRTUAL TABLE temp.has USING fts5vocab('main', '{table}_terms', 'instance')")
        rows = database.execute_sql("SELECT doc, term FROM temp.has").fetchall()
        database.execute_sql("DROP TABLE temp.has")
        model = {"posts": Post, "messages": Message}[table]
        expected = {
            (fulltext.position(row.created_at, row.id), term)
            for row in model
            for term in [*row.terms.split(), *(f"\ue100{getattr(row, column)}" for column in fulltext.INDEXED[table])]
        }
        assert set(rows) == expected


def test_index_is_rebuilt_after_a_migration_that_replaces_the_table(app):
    make_post(body="hello before")
    with database.atomic():
        migrator = SqliteMigrator(database.obj)
        change(migrator.drop_not_null("posts", "created_at"), migrator.add_not_null("posts", "created_at"))
        make_post(body="hello without a trigger")
    assert _posts() == {"hello before"}, "or this says nothing"
    migrate()
    make_post(body="hello after")
    assert _posts() == {"hello before", "hello without a trigger", "hello after"}
    assert fulltext.mend(database.obj) == []
    _assert_whole()


def test_migration_indexes_existing_rows(each_database):
    message, post = make_message(body="hello"), make_post(body="hello before")
    with database.atomic():
        Runner(database.obj, str(MIGRATIONS)).down("0013_terms")
    _write_as_the_release_before(post.user, "hello there")
    migrate()
    assert _posts() == {"hello before", "hello there"}
    assert _messages_found(message.sender, "hello") == ["hello"]
    _assert_whole()


def _write_as_the_release_before(user: User, body: str) -> None:
    sql = f"INSERT INTO posts (user_id, body, created_at) VALUES ({database.param}, {database.param}, {database.param})"
    database.execute_sql(sql, (user.id, body, datetime(2026, 1, 1)))


def test_rows_written_by_the_previous_release_are_indexed_at_the_next_sweep(each_database):
    """It runs beside this one for a while, and searches by what it has always searched."""
    user = make_user()
    _write_as_the_release_before(user, "hello there")
    make_post(user, "hello here")
    assert _posts() == {"hello here"}
    for _ in range(2):
        index_texts(200)
        assert _posts() == {"hello there", "hello here"}
    _assert_whole()
    if isinstance(database.obj, SqliteDatabase):
        by_old = "SELECT count(*) FROM posts_search WHERE posts_search MATCH 'hello'"
        assert database.execute_sql(by_old).fetchone() == (2,)
    else:
        assert database.execute_sql("SELECT to_regclass('posts_search')").fetchone() != (None,)
    Post.delete().execute()
    _assert_whole()


def test_terms_are_filled_in_batches_each_row_once(each_database):
    user = make_user()
    for number in range(30):
        _write_as_the_release_before(user, f"hello {number}")
    fulltext.mend(database.obj, batch_size=7)
    assert len(_posts()) == 30
    assert not Post.select().where(Post.terms.is_null()).exists()


def test_text_computed_by_the_database_is_indexed_at_the_next_sweep(each_database):
    post = make_post(body="hello")
    Post.update(body=Post.body.concat(" there")).where(Post.id == post.id).execute()
    assert not _found("hello")
    index_texts(200)
    assert _found("there") == ["hello there"]


def test_every_way_to_write_a_row_writes_its_terms(each_database):
    user, now = make_user(), datetime(2026, 1, 1)
    Post.insert({Post.user: user, Post.body: "hello 1"}).execute()
    Post.insert(user=user, body="hello 2").execute()
    Post.insert_many([(user.id, "hello 3", now)], fields=[Post.user, Post.body, Post.created_at]).execute()
    Post.insert_many([{"user": user.id, "body": "hello 4"}]).execute()
    Post.bulk_create([Post(user=user, body="hello 5")])
    post = Post.create(user=user, body="goodbye")
    post.body = "hello 6"
    post.save()
    assert _posts() == {f"hello {number}" for number in range(1, 7)}
    Post.update({Post.body: "goodbye"}).execute()
    assert not _posts()
    assert len(_found("goodbye")) == 6
    _assert_whole()
