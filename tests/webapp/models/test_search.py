"""Finding posts and messages by their words: the same words find the same on both databases, whatever is in them."""

from datetime import datetime

import pytest
from peewee import SqliteDatabase
from playhouse.migrate import SqliteMigrator
from playhouse.migrate import migrate as change
from playhouse.migrations import Runner

from webapp import fulltext
from webapp.database import MIGRATIONS, configure, database, migrate
from webapp.factories import make_message, make_post, make_posts, make_task, make_user
from webapp.models import Message, Post, State, User
from webapp.models.search import excerpt, matching, pieces, words_in
from webapp.models.task_filter import TaskFilter
from webapp.settings import Settings

BODIES = (
    "Export the minutes",
    "exporting Größe, ÄRGER and CAFÉ",
    "Экспорт готов",
    "내보내기를 끝냈다",
    "and/or a@b.example user_name it's 100% sure",
    "1000 sure",
    'say "hello" - twice * (NEAR)',
    "👋 only",
)


def _found(text: str) -> list[str]:
    return [post.body for post in matching(Post.timeline(), text)]


@pytest.fixture
def written(each_database):
    user = make_user()
    for body in BODIES:
        make_post(user, body)


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("export", [0, 1]), ("EXPO", [0, 1]), ("xport", []), ("minutes export", [0]), ("export nothing", []),
        ("größe", [1]), ("grosse", []), ("arger", [1]), ("cafe\u0301", [1]), ("ärg caf", [1]),
        ("экспорт", [2]), ("ГОТ", [2]), ("내보내기", [3]), ("끝냈다 내보", [3]), ("보내기", []),
        ("or", [4]), ("name", [4]), ("b.example", [4]), ("it's", [4]), ("sure", [4, 5]),
        ("%", [4]), ("_", [4]), ("*", [6]), ("👋", [7]), ("%%", []), ("\\", []),
        ('"hello', [6]), ('"say hello"', [6]), ("-twice", [6]), ("NEAR(say hello", [6]), ("body:sure", []),
        ("export OR sure", []), ("^and", [1, 4]), ("\0sure", [4, 5]), ("'; --", []), (":*", []), ("\u0301", []),
        ("x" * 5000, []), ("sure " * 1000, [4, 5]),
    ],
)  # fmt: skip
def test_each_word_must_begin_a_word_and_nothing_else_means_anything(written, text, indices):
    assert sorted(_found(text)) == sorted(BODIES[index] for index in indices)


@pytest.mark.parametrize(
    "body",
    ["हिन्दी भाषा", "தமிழ்", "বাংলা", "ภาษาไทย ก็", "မြန်မာ", "مَرْحَبًا", "שָׁלוֹם", "10 m²", "5 µm", "nº 3", "don't"],
)
def test_a_text_finds_itself_in_any_script(each_database, body):
    make_post(body=body)
    make_post(body="another")
    for text in (body, *body.split()):
        assert _found(text) == [body], text


def test_a_hundred_words_are_no_more_than_a_database_reads(each_database):
    words = " ".join(chr(0x4E00 + number) for number in range(100))
    post = make_post(body=words)
    task = make_task(State.SUCCEEDED, post.user, title=words)
    make_task(State.SUCCEEDED, post.user)
    assert _found(words) == [words]
    assert list(TaskFilter(text=words).of(post.user)) == [task]


def test_where_sqlite_has_no_full_text_words_are_looked_for_as_they_stand_until_it_has(monkeypatch, tmp_path):
    configure(Settings(secret_key="-", data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'errand.db'}"))
    with monkeypatch.context() as built_without:
        built_without.setattr(fulltext, "has_fts5", lambda: False)
        migrate()
        assert "posts_search" not in database.get_tables()
        for body in BODIES:
            make_post(body=body)
        assert _found("minutes export") == _found("inutes xport") == ["Export the minutes"]
        assert sorted(_found("100 sure")) == sorted([BODIES[4], BODIES[5]])
        assert _found("user_name%") == [BODIES[4]]
    migrate()
    assert (_found("minut"), _found("inutes")) == (["Export the minutes"], [])
    database.close()


# In step with every write


def _posts() -> set[str]:
    return set(_found("hello"))


def test_what_is_changed_or_deleted_is_found_as_it_is_now(each_database):
    post, other = make_post(body="Hello there"), make_post(body="Hello again")
    Post.update(body="Goodbye").where(Post.id == post.id).execute()
    assert _posts() == {"Hello again"}
    assert _found("good") == ["Goodbye"]
    other.delete_instance()
    assert not _posts()
    make_post(body="Hello anew")
    assert _posts() == {"Hello anew"}


def test_what_was_rolled_back_is_not_found(each_database):
    with database.atomic() as transaction:
        make_post(body="Hello there")
        transaction.rollback()
    assert not _posts()


def test_what_goes_with_its_author_is_not_found(each_database):
    user, other = make_user(), make_user()
    make_posts(user, 300, body="hello")
    make_post(other, "hello from another")
    make_message(user, other, "hello")
    User.delete().where(User.id == user.id).execute()
    assert _posts() == {"hello from another"}
    assert not list(matching(Message.of(other), "hello"))
    _assert_whole()


def test_thousands_that_go_at_once_are_not_found(each_database):
    """As when an import is undone, or what is old is purged."""
    user = make_user()
    task = make_task(State.SUCCEEDED, user)
    make_posts(user, 3000, task=task.id)
    assert matching(Post.timeline(), "post").count() == 3000
    Post.delete().where(Post.task == task.id).execute()
    assert not matching(Post.timeline(), "post").exists()
    _assert_whole()


def _assert_whole() -> None:
    """SQLite compares an index with its table, and raises where they differ."""
    if isinstance(database.obj, SqliteDatabase):
        for table in fulltext.INDEXED:
            database.execute_sql(f"INSERT INTO {table}_search({table}_search, rank) VALUES ('integrity-check', 1)")


def test_a_migration_that_makes_a_table_anew_does_not_cut_off_its_index(app):
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


def test_what_was_there_before_the_migration_is_found_after_it(each_database):
    message = make_message(body="hello")
    with database.atomic():
        Runner(database.obj, str(MIGRATIONS)).down("0007_search")
    make_post(body="hello before")
    Message.update(body="hello there").where(Message.id == message.id).execute()
    assert "0007_search" in migrate()
    make_post(body="hello after")
    assert _posts() == {"hello before", "hello after"}
    assert matching(Message.of(message.sender), "there").count() == 1
    _assert_whole()


def test_an_index_is_used_and_not_every_row_read(each_database):
    make_posts(make_user(), 50)
    sql, parameters = matching(Post.select(), "post").sql()
    if isinstance(database.obj, SqliteDatabase):
        plan = database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
    else:
        database.execute_sql("SET enable_seqscan = off")  # so few rows are sooner read than looked up
        plan = database.execute_sql(f"EXPLAIN {sql}", parameters).fetchall()
        database.execute_sql("SET enable_seqscan = on")
    assert "posts_search" in str(plan)


# Messages


def test_messages_of_others_are_never_found(each_database):
    ann, bob, carl = make_user("ann"), make_user("bob"), make_user("carl")
    make_message(ann, bob, "the secret of ann")
    make_message(bob, ann, "the secret of bob")
    make_message(bob, carl, "a secret without ann")
    found = list(matching(Message.of(ann), "secret"))
    assert [(message.body, message.sender.username, message.recipient.username) for message in found] == [
        ("the secret of bob", "bob", "ann"),
        ("the secret of ann", "ann", "bob"),
    ]
    assert len(list(matching(Message.of(carl), "secret"))) == 1
    assert not list(matching(Message.of(make_user()), "secret"))


# In words


@pytest.mark.parametrize(
    ("text", "sought", "marked"),
    [
        ("Export the exports", "expo", ["Export", "exports"]),
        ("Größe ÄRGER", "arg", ["ÄRGER"]),
        ("<b>bold</b>", "b", ["b", "bold", "b"]),
        ("100% sure", "%", ["%"]),
        ("Экспорт готов", "гот", ["готов"]),
        ("nothing", "some", []),
        ("nothing", "", []),
        ("a 👋 b", "👋", ["👋"]),
    ],
)
def test_what_was_sought_is_marked_and_the_text_stays_whole(text, sought, marked):
    found = pieces(text, sought)
    assert "".join(piece for piece, _ in found) == text
    assert [piece for piece, hit in found if hit] == marked


def test_an_excerpt_has_what_was_sought_in_it():
    text = "before " * 100 + "the needle" + " after" * 100
    shown = excerpt(text, "needle")
    assert "needle" in shown
    assert len(shown) <= 162
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert excerpt("short needle", "needle") == "short needle"


def test_words_are_those_of_any_script_and_each_is_sought_once():
    assert words_in("Fish-and-chips, FISH fish! Ünïcode 한국어 тест_два 42") == [
        "Fish", "and", "chips", "FISH", "fish", "Ünïcode", "한국어", "тест", "два", "42",
    ]  # fmt: skip
    assert words_in("a a a") == ["a"]
    assert words_in("") == []


def test_posts_found_are_read_page_by_page(ann):
    make_posts(ann.user, 45, created_at=datetime(2026, 1, 1))
    make_post(ann.user, "something else")
    seen, path = [], "/?q=post"
    while path:
        page = ann.get(path)
        seen += [article["id"] for article in page.page.select("article.post")]
        assert page.one("input[name=q]")["value"] == "post"
        path = (following := page.page.select_one('a[rel="next"]')) and following["href"]
    assert len(seen) == len(set(seen)) == 45
