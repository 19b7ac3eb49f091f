"""Finding posts and messages by their words: the same words find the same on both databases, whatever is in them."""

import re
from datetime import datetime

import pytest
from peewee import SqliteDatabase

from tests.browsing import browse, words
from webapp.db import configure, database, fulltext, is_postgres, migrate
from webapp.dev.factories import make_message, make_post, make_posts, make_task, make_user
from webapp.models import Message, Post, State, User, search, search_indexes, searched_rows
from webapp.models.search import SearchTooSlow, newest
from webapp.models.task_filter import TaskFilter
from webapp.web.presenters.excerpts import excerpt, pieces

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


def _found(text: str, owner: User | None = None) -> list[str]:
    return [Post.get_by_id(post_id).body for post_id in newest(Post, text, 10_000, owner).ids]


def _messages_found(user: User, text: str) -> list[str]:
    return [Message.get_by_id(message_id).body for message_id in newest(Message, text, 100, user).ids]


@pytest.fixture
def written(each_database):
    user = make_user()
    for body in BODIES:
        make_post(user, body)


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("export", [0, 1]),
        ("EXPO", [0, 1]),
        ("xport", []),
        ("minutes export", [0]),
        ("export nothing", []),
        ("größe", [1]),
        ("grosse", [1]),
        ("arger", [1]),
        ("cafe\u0301", [1]),
        ("ärg caf", [1]),
        ("экспорт", [2]),
        ("ГОТ", [2]),
        ("내보내기", [3]),
        ("끝냈다 내보", [3]),
        ("보내기", [3]),
        ("보내를", []),
        ("or", [4]),
        ("name", [4]),
        ("b.example", [4]),
        ("it's", [4]),
        ("sure", [4, 5]),
        ("%", [4]),
        ("_", [4]),
        ("*", [6]),
        ("👋", [7]),
        ("%%", []),
        ("\\", []),
        ('"hello', [6]),
        ('"say hello"', [6]),
        ("-twice", [6]),
        ("NEAR(say hello", [6]),
        ("body:sure", []),
        ("export OR sure", []),
        ("^and", [1, 4]),
        ("\0sure", [4, 5]),
        ("'; --", []),
        (":*", []),
        ("\u0301", []),
        ("x" * 5000, []),
        ("sure " * 1000, [4, 5]),
    ],
)
def test_search_matches_words_by_prefix_without_operators(written, text, indices):
    assert sorted(_found(text)) == sorted(BODIES[index] for index in indices)


ITSELF = (
    "हिन्दी भाषा|தமிழ்|বাংলা|ภาษาไทย ก็|မြန်မာ|ខ្មែរ|مَرْحَبًا|שָׁלוֹם|東京タワー|ﾄｳｷｮｳ|한국어|Ёж|йод|ΔΡΌΜΟΣ|ß|İstanbul|Łódź"
    "|10 m²|5 µm|nº 3|don't|½|2½|C++|C#|#tag|100%|$5|@ann|x = y²|a|①|ﷺ"
    "|👋|👨\u200d👩\u200d👧|🇩🇪|→|§|…|™|\u00ad-\u00ad"
).split("|")


def test_a_text_finds_itself_in_any_script(each_database):
    user = make_user()
    for body in ITSELF:
        make_post(user, f"{body} here")
    missed = [text for body in ITSELF for text in (body, *body.split()) if f"{body} here" not in _found(text)]
    assert not missed


FOLDED = [  # what is written; what finds it; what does not
    ("ΔΡΌΜΟΣ", "δρόμος δρομος ΔΡΟΜΟΣ δρομοσ δρόμ", "δρ0"),
    ("δρόμος", "ΔΡΌΜΟΣ δρομος", ""),
    ("Ёлка", "елка ёлка ЕЛК Елка", "олка"),
    ("йод і їжак", "йод ЙОД їжак", "иод іжак"),
    ("за\u0301мок", "замок", ""),
    ("Größe", "GRÖSSE grosse große GROẞE", "groe"),
    ("café", "cafe\u0301 CAFE café", "cafés"),
    ("Ｅｒｒａｎｄ", "errand ｅｒｒａｎｄ", ""),
    ("errand ｶﾞｲﾄﾞ", "Ｅｒｒａｎｄ ガイド", "カイト"),
    ("½ cup of 12", "½ 1⁄2", "13½ 2"),
    ("I write C++", "C++ c++", "C# C+++"),
    ("or C# and #hashtag", "C# #hash hashtag", "C++ #and ##"),
    ("👋🏽 hello 👨‍👩‍👧", "👋 👋🏽 👩 👨‍👩‍👧", "👋👨 🙂"),
    ("wait… what?!", "… ?! ?", "?? !?"),
    ("東京タワーへ行く", "東京 京タ タワー 行 へ行く", "東タ 京都"),
    ("내보내기를 끝냈다", "보내기 내보내기 기를 끝", "냈끝"),
    ("ภาษาไทย", "ภาษา ไทย", "ไภ"),
    ("iPhone15를 샀다", "iphone iphone15 를 샀다", "15"),
    ("مَرْحَبًا", "مرحبا", "مرا"),
    ("می\u200cخواهم", "میخواهم", ""),
    ("Łódź, Ørsted, ısı", "lodz ORSTED isi", ""),
    ("hyphen\u00adation", "hyphenation", ""),
]


def test_search_folds_alike_on_both_databases(each_database):
    """One folding, whatever the database thinks of case, accents and where words end."""
    user = make_user()
    for body, _, _ in FOLDED:
        make_post(user, body)
    wrong = [(body, text) for body, found, _ in FOLDED for text in found.split() if body not in _found(text)]
    wrong += [(body, text) for body, _, not_found in FOLDED for text in not_found.split() if body in _found(text)]
    assert not wrong


def test_any_two_neighbors_of_a_script_without_spaces_are_found(each_database):
    texts = ("한국어를공부합니다", "東京特許許可局", "ภาษาไทยง่าย", "あいうえお")
    for text in texts:
        make_post(body=text)
    assert all(_found(text[at : at + 2]) == [text] for text in texts for at in range(len(text) - 1))


def test_the_newest_are_first_whenever_they_were_written_down(each_database):
    """An import writes what is old last."""
    user = make_user()
    days = (3, 1, 4, 2)
    for day in days:
        make_post(user, f"hello of {day}", created_at=datetime(2020, 1, day))
    make_post(user, "hello of the first day", created_at=datetime(1, 1, 1))
    make_post(user, "hello of the last day", created_at=datetime(9999, 12, 31, 23, 59, 59))
    expected = ["the last day", "4", "3", "2", "1", "the first day"]
    assert _found("hello") == [f"hello of {day}" for day in expected]
    place, seen = None, []
    while ids := newest(Post, "hello", 2, None, place).ids:
        assert len(ids) <= 2
        seen += ids
        last = Post.get_by_id(ids[-1])
        place = last.created_at, last.id
    assert [Post.get_by_id(post_id).body for post_id in seen] == [f"hello of {day}" for day in expected]


def test_search_pages_through_rows_of_one_second(each_database):
    user, at = make_user(), datetime(2026, 1, 1, 12, 30, 15)
    for number in range(10):
        make_post(user, f"hello {number}", created_at=at.replace(microsecond=999_999 - number))
    place, seen = None, []
    while ids := newest(Post, "hello", 3, None, place).ids:
        seen += ids
        last = Post.get_by_id(ids[-1])
        place = last.created_at, last.id
    assert len(seen) == len(set(seen)) == 10


def test_posts_of_one_person_are_found_among_those_of_all(each_database, monkeypatch):
    ann, bob = make_user("ann"), make_user("bob")
    monkeypatch.setattr(searched_rows, "RECENT", 5)
    make_posts(ann, 20, body="hello from ann")
    make_posts(bob, 20, body="hello from bob")
    assert set(_found("hello", ann)) == {"hello from ann"}
    assert len(_found("hello", ann)) == 20
    assert not _found("hello", make_user())
    assert not _found(f"{ann.id}", ann), "whose it is, is no word of it"


def test_search_for_a_hundred_words_works(each_database):
    words = " ".join(chr(0x4E00 + number) for number in range(100))
    post = make_post(body=words)
    task = make_task(State.SUCCEEDED, post.user, title=words)
    make_task(State.SUCCEEDED, post.user)
    assert _found(words) == [words]
    assert list(TaskFilter(text=words).of(post.user)) == [task]


def test_search_finds_the_same_without_fts5(monkeypatch, tmp_path):
    configure(f"sqlite:///{tmp_path / 'errand.db'}")
    with monkeypatch.context() as built_without:
        built_without.setattr(fulltext, "has_fts5", lambda: False)
        migrate()
        assert "posts_terms" not in database.get_tables()
        user = make_user()
        for body in [*BODIES, *(body for body, _, _ in FOLDED)]:
            make_post(user, body)
        make_post(body="by somebody else")
        texts = [
            "minutes export",
            "100 sure",
            "%",
            "_",
            *(text for row in FOLDED for text in " ".join(row[1:]).split()),
        ]
        without = {text: sorted(_found(text)) for text in texts}
        assert without["minutes export"] == ["Export the minutes"]
        assert _found("else") == ["by somebody else"]
        assert not _found("else", user)
    migrate()
    assert "posts_terms" in database.get_tables()
    assert {text: sorted(_found(text)) for text in texts} == without
    database.close()


# What it costs


def _plans(asked) -> list[str]:
    """How the database goes about each of these statements, after what they tell its planner."""
    is_sqlite = isinstance(database.obj, SqliteDatabase)
    plans = []
    with database.atomic():
        for sql, values in asked:
            if "set_config" in sql:
                database.execute_sql(sql, values)
            elif sql.startswith("SELECT"):
                explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
                plans.append(str(database.execute_sql(explain + sql, values).fetchall()))
    return plans


def test_search_uses_an_index(each_database, queries, monkeypatch):
    monkeypatch.setattr(searched_rows, "RECENT", 40)
    make_posts(make_user(), 50)
    with queries() as seen:
        assert len(newest(Post, "post", 60).ids) == 50
        assert newest(Post, "nothing", 60).ids == []
    plans = _plans([query.msg for query in seen.get_queries()])
    assert all(re.search(r"posts_terms|VIRTUAL TABLE INDEX|post_created_at_id|posts_pkey", plan) for plan in plans)
    assert any("terms" in plan and "created_at_id" not in plan for plan in plans)
    assert not any("USE TEMP B-TREE" in plan for plan in plans if "SCAN recent" not in plan), "which are a few"


def test_a_long_prefix_is_asked_for_by_its_words_in_order(app, queries, few_are_many):
    """FTS5 would gather all rows with it, to return the newest."""
    user = make_user()
    make_posts(user, 5, body="programmer")
    make_posts(user, 5, body="programming")
    make_posts(user, 9, body="program")
    with queries() as seen:
        assert len(_found("programm")) == 10
    asked = [values[0] for sql, values in (query.msg for query in seen.get_queries()) if "DESC LIMIT" in sql and values]
    assert asked[-1] == '("programmer" OR "programming")'


def test_a_common_word_of_others_is_not_looked_for_among_all_of_theirs(
    emptied_postgres, make_app, few_are_many, queries
):
    """GIN would gather all rows with it. So the person's newest are searched, and then those before."""
    make_app(database_url=emptied_postgres)
    ann, bob = make_user(), make_user()
    make_post(ann, "hello of ann", created_at=datetime(2020, 1, 1))
    make_posts(ann, 40, body="something else")
    make_posts(bob, 40, body="hello of bob")
    with queries() as seen:
        ids, end = newest(Post, "hello", 5, ann)
    assert not any("@@" in query.msg[0] for query in seen.get_queries())
    assert not ids
    assert _found_from(end, "hello", ann) == ["hello of ann"]


def _found_from(place: searched_rows.Place | None, text: str, owner: User) -> list[str]:
    return [Post.get_by_id(post_id).body for post_id in newest(Post, text, 5, owner, place).ids]


def test_postgresql_asks_its_index_for_a_rare_word_and_computes_no_terms(emptied_postgres, make_app, queries):
    """Not even where it might go through the rows of late, or of one person, by another index."""
    make_app(database_url=emptied_postgres)
    ann = make_user()
    database.execute_sql(
        "INSERT INTO posts (user_id, body, terms, created_at)"
        " SELECT %s, 'n', 'a word' || n * 7919 %% 20000, now() + n * interval '1 second'"
        " FROM generate_series(1, 20000) AS n",
        (ann.id,),
    )
    database.execute_sql("ANALYZE")
    for owner in (None, ann):
        for text, number in ("word1999", 11), ("word19999", 1), ("nothing", 0):
            with queries() as seen:
                assert len(newest(Post, text, 21, owner).ids) == number
            plans = _plans([query.msg for query in seen.get_queries()])
            asked = [plan for plan in plans if "@@" in plan]
            assert len(asked) == 3
            assert all("Index Scan on posts_terms" in plan for plan in asked)
            assert not any("Filter: (array_to_tsvector" in plan for plan in asked)


def test_search_of_one_persons_messages_reads_those_in_their_order(each_database, queries):
    ann, bob = make_user(), make_user()
    for _ in range(3):
        make_message(ann, bob, "hello everybody")
    database.execute_sql("ANALYZE")
    with queries() as seen:
        assert len(_messages_found(ann, "hello everybody")) == 3
    first, *_ = [query.msg for query in seen.get_queries() if "LIKE" in query.msg[0]]
    database.execute_sql("SET enable_seqscan = off" if is_postgres() else "SELECT 1")
    database.execute_sql("SET enable_sort = off" if is_postgres() else "SELECT 1")
    [plan] = _plans([first])
    assert "message_sender_id_created_at_id" in plan
    assert "message_recipient_id_created_at_id" in plan


@pytest.fixture
def few_are_many(monkeypatch):
    """What is done for many rows is done for a few."""
    for name, number in {"FEW": 5, "RECENT": 10, "COMMON": 2, "SOME": 1, "SEARCHED": 30}.items():
        monkeypatch.setattr(searched_rows, name, number)
    for name, value in {"MANY": 2, "MOST_WORDS": 3, "WIDER": (2, 4)}.items():
        monkeypatch.setattr(search_indexes, name, value)


def test_common_words_are_looked_for_in_the_newest_rows_and_then_further_back(each_database, few_are_many):
    """Where the index has no order; SQLite's finds them at once."""
    user = make_user()
    make_post(user, "left and right")
    for number in range(65):
        make_post(user, ("left " if number % 2 else "right ") + str(number))
    browser = browse(each_database)
    first = browser.get("/?q=left+right")
    if not is_postgres():
        assert words(first.one(".post p")) == "left and right"
        assert not first.page.select('p.hint, a[rel="next"]')
        return
    assert "only the newest 10,000 posts were searched" in words(first.one("p.hint"))
    assert words(first.one(".empty h2")) == "No results yet"
    second = browser.get(first.one('a[rel="next"]')["href"])
    assert "only the next 10,000 posts were searched" in words(second.one("p.hint"))
    third = browser.get(second.one('a[rel="next"]')["href"])
    assert words(third.one(".post p")) == "left and right"
    assert not third.page.select('p.hint, a[rel="next"]')


QUERIES = (
    "everybody|every|hello3|formerly|lately|single1|single59|everybody single7|formerly hello3 everybody|nothing"
    "|everybody nothing|lately formerly|everybody lately"
).split("|")


@pytest.mark.parametrize("owned", [False, True])
def test_a_search_finds_all_however_common_its_words_are(each_database, few_are_many, owned):
    """Each way to look for them: in the newest rows, by an index, in both, for one's own among those of others."""
    ann, bob = make_user("ann"), make_user("bob")
    for number in range(60):
        text = f"everybody hello{number % 7} {'lately' if number > 50 else 'formerly'} single{number}"
        make_post(ann if number % 3 else bob, text)
    texts = {post.id: post.body for post in Post.select().where((Post.user == ann) | (not owned))}
    for query in QUERIES:
        expected = [i for i, text in texts.items() if all(f" {word}" in f" {text}" for word in query.split())]
        found, place = [], None
        while True:
            ids, end = newest(Post, query, 4, ann if owned else None, place)
            found += ids
            if not end and len(ids) < 4:
                break
            last = Post.get_by_id(ids[-1]) if len(ids) == 4 else None
            place = (last.created_at, last.id) if last else end
        assert found == sorted(expected, reverse=True), query


@pytest.mark.parametrize("text", ["post", "nothing that anybody wrote"])
def test_slow_search_is_canceled_with_a_message(each_database, monkeypatch, text):
    make_posts(make_user(), 300, body="post " + " ".join(f"word{number}" for number in range(70)))
    monkeypatch.setattr(search, "TIMEOUT", 0.001)
    monkeypatch.setattr(search, "STEPS", 1)
    monkeypatch.setattr(fulltext, "has_fts5", lambda: False)
    slow = "AND (SELECT count(*) FROM posts a, posts b, posts c) > 0"
    rows = searched_rows.SearchedRows._of
    monkeypatch.setattr(
        searched_rows.SearchedRows, "_of", lambda *given: (f"{rows(*given)[0]} {slow}", rows(*given)[1])
    )
    with pytest.raises(SearchTooSlow):
        newest(Post, text, 21)
    answer = browse(each_database).get("/", query_string={"q": text})
    assert answer.status_code == 422
    assert "takes too long" in answer.one("#q-error").text
    monkeypatch.undo()
    assert len(newest(Post, "post", 400).ids) == 300, "and the connection goes on as before"


# Messages


def test_search_never_finds_messages_of_others(each_database):
    ann, bob, carl = make_user("ann"), make_user("bob"), make_user("carl")
    make_message(ann, bob, "the secret of ann")
    make_message(bob, ann, "the secret of bob")
    make_message(bob, carl, "a secret without ann")
    assert _messages_found(ann, "secret") == ["the secret of bob", "the secret of ann"]
    assert _messages_found(carl, "secret") == ["a secret without ann"]
    assert not _messages_found(make_user(), "secret")


# In words


@pytest.mark.parametrize(
    ("text", "sought", "marked"),
    [
        ("Export the exports", "expo", ["Export", "exports"]),
        ("Größe ÄRGER", "arg", ["ÄRGER"]),
        ("<b>bold</b>", "b", ["b", "b"]),
        ("100% sure", "%", ["%"]),
        ("Экспорт готов", "гот", ["готов"]),
        ("nothing", "some", []),
        ("nothing", "", []),
        ("a 👋 b", "👋", ["👋"]),
        ("ΔΡΌΜΟΣ και δρόμος", "δρομος", ["ΔΡΌΜΟΣ", "δρόμος"]),
        ("Ｆｕｌｌ ﬁne straße", "full fine STRASSE", ["Ｆｕｌｌ", "ﬁne", "straße"]),
        ("내보내기를 끝냈다", "보내 끝냈다", ["보내", "끝냈다"]),
        ("C++ and C", "C++", ["C++"]),
        ("#tag and tag", "#ta", ["#tag"]),
        ("#tag and tag", "ta", ["tag", "tag"]),
        ("2½ and ½", "½", ["½", "½"]),
        ("a\u0301b Ёлка", "áb елка", ["a\u0301b", "Ёлка"]),
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
