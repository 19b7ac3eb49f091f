"""Profiles."""

from webapp.dev.factories import make_post, make_user


def test_a_profile_shows_who_somebody_is_and_what_they_wrote(visitor):
    ann = make_user("Ann", about="<b>I knit.</b>")
    mine, other = make_post(ann, "mine"), make_post(make_user(), "other")
    page = visitor.get("/people/Ann")
    assert page.status_code == 200
    assert "<b>I knit.</b>" in page.words
    assert page.one("h1").text == "Ann"
    assert page.one(f"#post-{mine.id}")
    assert not page.page.select(f"#post-{other.id}")


def test_a_profile_is_found_in_whatever_case(visitor):
    make_user("Ann")
    assert visitor.get("/people/aNN").status_code == 200


def test_nobody_is_not_found(visitor):
    assert visitor.get("/people/nobody").status_code == 404


def test_an_address_is_shown_to_nobody_else(ann, visitor, bob):
    make_user("carol", email="carol@example.com")
    for browser in (visitor, bob):
        assert "carol@example.com" not in browser.get("/people/carol").text


def test_only_ones_own_profile_offers_the_export(ann, bob):
    assert ann.get("/people/ann").one('form[action="/tasks/new/export_posts"] select[name=format]')
    assert not bob.get("/people/ann").page.select('form[action="/tasks/new/export_posts"]')


def test_the_export_of_a_profile_works_without_javascript(ann):
    answer = ann.submit("/tasks/new/export_posts", format="csv")
    assert answer.status_code == 303
    assert "CSV" in ann.get(answer.location).one("article.task").text


def test_who_hides_it_is_not_seen_to_have_been_here(ann, visitor, bob):
    assert "Last seen" in visitor.get("/people/ann").words
    profile = {"about": "I knit.", "time_zone": "UTC"}
    ann.submit("/settings/profile", **profile, asks_about_seen="yes", hides_seen="y")
    for browser in (visitor, bob, ann):
        words = browser.get("/people/ann").one("header.person").get_text(" ")
        assert "Last seen" not in words
        assert "Joined" in words
    ann.submit("/settings/profile", **profile)
    assert "Last seen" not in visitor.get("/people/ann").words, "a form that does not ask about it changes nothing"
    assert ann.get("/settings").one("#hides_seen").has_attr("checked")
    ann.submit("/settings/profile", **profile, asks_about_seen="yes")
    assert "Last seen" in visitor.get("/people/ann").words
