"""The unchanged feed, answered ahead of Flask: what is answered there is what Flask answers, header by header."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from werkzeug.test import run_wsgi_app

from tests.webapp.web.api.client import Program
from tests.webapp.web.test_unchanged import AHEAD, HERE, Door
from webapp.db.bulkhead import Unavailable
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import State, User, notification_feed
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope

PATH = "/api/v1/notifications"


class FeedDoor:
    """A door at which a program of Ann's asks, which has just read the feed to its end."""

    def __init__(self, app) -> None:
        self.door = Door(app)
        self.program = Program(app, self.door.user, {Scope.TASKS_READ})
        headers = {"Host": self.door.host, "X-Forwarded-Proto": "https"}
        answer = self.program.get("/notifications", headers=headers, base_url=app.config["BASE_URL"] or None)
        assert answer.status_code == 200
        self.etag, self.next = answer.headers["ETag"], answer.json["next"]

    def what(self, **what: Any) -> dict[str, Any]:
        """A request for what follows, but for these parts of it."""
        ordinary = {
            "path": f"{PATH}?since={self.next}",
            "Authorization": self.program.headers["Authorization"],
            "If_None_Match": self.etag,
            "Cookie": None,
            "HX_Request": None,
            "Accept": "*/*",
        }
        return ordinary | what

    def agree(self, **what: Any) -> tuple[int, bool]:
        """As a Door does."""
        return self.door.agree(**self.what(**what))


@pytest.fixture(autouse=True)
def _clock(monkeypatch) -> None:
    """It stands still for the feed, which says where to go on."""
    now = utcnow()
    monkeypatch.setattr(notification_feed, "utcnow", lambda: now)


@pytest.fixture
def feed(app) -> FeedDoor:
    """That of a site on this machine."""
    return FeedDoor(app)


def test_requests(feed):
    since, other = f"?since={feed.next}", "?since=2026-11-30T09:00:00Z"
    token = feed.program.headers["Authorization"].partition(" ")[2]
    for what, expected in [
        ({}, AHEAD),
        ({"path": PATH}, AHEAD),
        ({"path": f"{PATH}{since}&x=1"}, AHEAD),
        ({"path": f"{PATH}{since}", "Cookie": "errand=x"}, AHEAD),
        ({"path": f"{PATH}{other}"}, (200, False)),
        ({"path": f"{PATH}?since=x"}, (422, False)),
        ({"path": f"{PATH}?since=%ff\xe9"}, (422, False)),
        ({"path": f"{PATH}/{since}"}, (404, False)),
        ({"path": f"/{PATH}{since}"}, (304, False)),
        ({"path": "/api/v1/user"}, (200, False)),
        ({"method": "HEAD"}, AHEAD),
        ({"method": "POST"}, (405, False)),
        ({"method": "OPTIONS"}, (204, False)),
        ({"If_None_Match": None}, (200, False)),
        ({"If_None_Match": "*"}, AHEAD),
        ({"If_None_Match": f'"x", {feed.etag}'}, AHEAD),
        ({"If_None_Match": feed.etag.removeprefix("W/")}, AHEAD),
        ({"If_None_Match": feed.etag[:-2] + '0"'}, (200, False)),
        ({"If_None_Match": 'W/"x"'}, (200, False)),
        ({"Authorization": f"bearer  {token} "}, AHEAD),
        ({"Authorization": f"Basic {token}"}, (401, False)),
        ({"Authorization": f"Bearer {token}x"}, (401, False)),
        ({"Authorization": "Bearer errand_pat_" + "0" * 36}, (401, False)),
        ({"Authorization": "Bearer \xe9"}, (401, False)),
        ({"Authorization": None}, (401, False)),
        ({"Authorization": None, "path": f"{PATH}{since}&token={token}"}, (401, False)),
        ({"Host": "evil.example"}, (421, False)),
        ({"Upgrade": "websocket", "Connection": "Upgrade"}, (400, False)),
    ]:
        assert feed.agree(**what) == expected, what


@pytest.mark.parametrize("trusted", [0, 1])
def test_a_site_for_https(make_app, trusted):
    feed = FeedDoor(make_app(base_url=HERE, trusted_proxies=trusted))
    assert feed.agree(scheme="http", X_Forwarded_Proto="https") == AHEAD
    status, is_ahead = feed.agree(scheme="http")
    assert status >= 300
    assert not is_ahead


def test_news_are_for_flask_to_tell(feed):
    make_task(State.PENDING)
    assert feed.agree() == AHEAD, "somebody else's are none"
    make_task(State.PENDING, feed.door.user)
    assert feed.agree() == (200, False)


def test_a_token_that_ends_lets_nobody_in_any_more(feed):
    assert feed.agree() == AHEAD
    feed.program.token.revoke()
    assert feed.agree() == (401, False)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda token: ApiToken.update(expires_at=utcnow() - timedelta(seconds=2)).execute(), 401),
        (lambda token: ApiToken.update(scope="posts").execute(), 403),
        (lambda token: ApiToken.update(scope="tasks:read messages").execute(), 200),
        (lambda token: User.update(deletion_due_at=utcnow()).where(User.id == token.user_id).execute(), 401),
    ],
)
def test_what_a_token_may_is_asked_each_time(feed, change, status):
    change(feed.program.token)
    assert feed.agree() == (status, False)


def test_it_costs_one_query_and_what_it_learns_is_not_asked_again(feed, queries):
    for etag, counts in ((feed.etag, [1, 1]), ('W/"x"', [4, 4])):
        for app, count in zip((feed.door.app, feed.door.app.wsgi_app.behind), counts, strict=True):
            environ = feed.door.environ(**feed.what(If_None_Match=etag))
            with queries() as seen:
                run_wsgi_app(app, environ)
            assert seen.count == count


@pytest.mark.parametrize(("error", "status"), [(Unavailable("no answer"), 503), (ZeroDivisionError("x"), 500)])
def test_an_error_is_flasks_to_answer_and_the_database_is_not_asked_twice(feed, monkeypatch, error, status):
    asked = []

    def fail(_: str) -> None:
        asked.append(1)
        raise error

    feed.door.app.config["PROPAGATE_EXCEPTIONS"] = False
    ask = partial(feed.door.ask, **feed.what())
    monkeypatch.setattr(ApiToken, "changes_of", fail)
    assert ask()[0].startswith(str(status))
    assert len(asked) == 1
    assert feed.agree() == (status, False)
