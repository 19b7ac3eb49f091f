"""Unsubscribing by the link in a mail: by anybody who has it, and by mail programs alone."""

import pytest

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.dev.mail_factories import make_suppression
from webapp.mail.unsubscribing import token_of
from webapp.models import Deletion, RateCount, Suppression, User
from webapp.models.mailing.suppression import Reason
from webapp.web.routes import unsubscribe

BEA = "bea@example.com"


@pytest.fixture
def ann(app) -> User:
    return make_user("ann")


@pytest.fixture
def path(app, ann) -> str:
    return f"/unsubscribe/{token_of(ann, BEA.upper(), app.config['SECRET_KEY'])}"


def _standing(user: User) -> tuple[str | None, str | None]:
    return Suppression.standing(user.id, BEA)


def test_a_stranger_unsubscribes_by_a_button_and_takes_it_back(app, ann, path):
    client = app.test_client()  # without a cookie, and without a token
    page = client.get(path)
    assert (page.status_code, page.headers.getlist("Set-Cookie")) == (200, [])
    assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "ann</strong>’s mailings to <strong>bea@example.com" in page.text
    assert _standing(ann) == (None, None), "programs that check mail open links"
    for _ in range(2):
        answer = client.post(path, data={"from": "sender"})
        assert (answer.status_code, answer.location) == (303, path)
    assert _standing(ann) == (Reason.UNSUBSCRIBED, None)
    assert "don’t go to <strong>bea@example.com</strong> anymore" in client.get(path).text
    client.post(path, data={"from": "site"})
    assert _standing(ann) == (Reason.UNSUBSCRIBED, Reason.UNSUBSCRIBED)
    assert "Nobody’s mailings" in client.get(path).text
    client.post(path, data={"again": "site"})
    assert _standing(ann) == (Reason.UNSUBSCRIBED, None)
    client.post(path, data={"again": "sender"})
    assert _standing(ann) == (None, None)
    assert client.post(path, data={"from": "everything"}).status_code == 303
    assert _standing(ann) == (None, None)


def test_a_mail_program_does_it_by_one_request(app, ann, path):
    answer = app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.text, answer.headers.getlist("Set-Cookie")) == (200, "Unsubscribed.\n", [])
    assert _standing(ann) == (Reason.UNSUBSCRIBED, None)


def test_who_is_signed_in_stays_so(app, path):
    bob = browse(app, make_user("bob"))
    assert bob.get(path).status_code == 200
    assert bob.post(path, data={"from": "sender"}).headers.getlist("Set-Cookie") == []
    assert bob.get("/settings").status_code == 200


def test_a_link_that_is_none_of_ours_does_nothing_and_asks_nobody(app, ann, path, queries):
    other = token_of(ann, BEA, "another key")
    bad = ["/unsubscribe/%00", "/unsubscribe/ü", f"/unsubscribe/{'a' * 999}", f"/unsubscribe/{other}"]
    client = app.test_client()
    for wrong in [path[:-1], path + "x", *bad]:
        with queries() as seen:
            assert client.get(wrong).status_code == 404
        assert seen.count == 0
        assert client.post(wrong, data={"from": "site"}).status_code == 404
    assert not Suppression.select().exists()


def test_what_an_operator_or_a_sender_has_entered_is_not_taken_back_by_a_link(app, ann, path):
    make_suppression(None, BEA, Reason.OPERATOR)
    make_suppression(ann, BEA, Reason.ENTERED)
    client = app.test_client()
    assert "Whoever runs this site" in client.get(path).text
    for scope in ("site", "sender"):
        client.post(path, data={"again": scope})
    assert _standing(ann) == (Reason.ENTERED, Reason.OPERATOR)
    Suppression.delete().where(Suppression.sender.is_null()).execute()
    assert 'name="from" value="sender">Unsubscribe<' in client.get(path).text, "it is theirs to say so for good"
    client.post(path, data={"from": "sender"})
    assert _standing(ann)[0] == Reason.UNSUBSCRIBED, "from now on it is not the sender's to remove"


def test_the_link_is_good_when_the_sender_is_gone_and_never_another_s(app, ann, path):
    make_suppression(ann, BEA, Reason.UNSUBSCRIBED)
    make_suppression(None, "cem@example.com", Reason.UNSUBSCRIBED)
    User.delete().where(User.id == ann.id).execute()
    assert [row.address for row in Suppression.select()] == ["cem@example.com"]
    other = make_user("other", id=ann.id)  # SQLite uses an id again
    client = app.test_client()
    assert "has no account here anymore" in client.get(path).text
    client.post(path, data={"from": "sender"})
    assert _standing(other) == (None, None)
    client.post(path, data={"from": "site"})
    assert _standing(other) == (None, Reason.UNSUBSCRIBED)


def test_a_sender_who_is_leaving_is_named_by_nothing_and_can_be_left_all_the_same(app, ann, path):
    Deletion.begin(ann)
    page = app.test_client().get(path).text
    assert ("has no account here anymore" in page, "ann" in page, "deleted-" in page) == (True, False, False)
    app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})
    assert _standing(ann)[0] == Reason.UNSUBSCRIBED, "they may come back"


def test_the_log_leaves_the_link_out(app, path, caplog):
    caplog.set_level("INFO")
    for nearly in (path, path + "/", "/x" + path):
        app.test_client().get(nearly)
    assert path.rpartition(".")[2] not in caplog.text
    assert "/unsubscribe/…" in caplog.text


def test_presses_are_limited_for_a_network(app, path):
    most = int(unsubscribe.PER_NETWORK.split()[0])
    client = app.test_client()
    client.post(path)
    RateCount.update(number=most).execute()
    assert client.post(path).status_code == 429
    assert client.get(path).status_code == 200
