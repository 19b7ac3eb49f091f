"""Polls answered ahead of Flask: what is answered there is what Flask answers, and the rest goes on to Flask."""

import io
import itertools
import string
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import request_started
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner
from werkzeug.test import run_wsgi_app

from webapp.db import database
from webapp.db.bulkhead import Unavailable
from webapp.dev.factories import make_task, make_user
from webapp.lib import logs
from webapp.models import Session, State, User
from webapp.web import session_cookies
from webapp.web.polling import PER_USER_FRAGMENTS
from webapp.web.security import YEAR
from webapp.web.session_cookies import SessionCookies

NOBODYS_TASK = "/tasks/00000000-0000-4000-8000-000000000000/_panel"


class Door:
    """An app to be asked through its front door and, past what answers ahead of it, through Flask's own."""

    def __init__(self, app) -> None:
        self.app, self.user = app, User.by_username("ann") or make_user("ann")
        self.host = app.config["BASE_URL"].partition("://")[2] or "errand.example"
        self.name = app.config["SESSION_COOKIE_NAME"]
        Session.begin(self.user, "of ann")
        self.session = {"_user_id": self.user.session_key, "_session": "of ann", "_fresh": True, "_permanent": True}
        self.session["csrf_token"] = "c" * 40

    def sign(self, content: object, ago: int = 0, key: str = "") -> str:
        """A cookie's value, as signed so many seconds ago."""
        app = type("Other", (), {"secret_key": key, "config": {"SECRET_KEY_FALLBACKS": None}}) if key else self.app
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) - ago)
            return SecureCookieSessionInterface().get_signing_serializer(app).dumps(content)

    @property
    def version(self) -> str:
        return f"{self.user.id}-{User.get_by_id(self.user.id).changes}-{self.app.config['RELEASE']}"

    def environ(self, path="/live", method="GET", scheme="http", **headers: str | None) -> dict[str, Any]:
        """An ordinary poll but for these headers, whose names have underscores; None leaves one out."""
        ordinary = {
            "Host": self.host,
            "Cookie": f"{self.name}={self.sign(self.session)}",
            "If_None_Match": f'W/"{self.version}"',
            "HX_Request": "true",
            "Accept": "text/html",
            "X_Request_ID": "of-this-test",
        }
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "5000", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": scheme, "wsgi.version": (1, 0),
            "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
            "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
        }  # fmt: skip
        given = {name: text for name, text in (ordinary | headers).items() if text is not None}
        return environ | {f"HTTP_{name.upper()}": text for name, text in given.items()}

    def ask(self, behind: bool = False, **what: Any) -> tuple[str, list[tuple[str, str]], bytes, bool]:
        """The status, headers and body, and whether a request of Flask's has begun."""
        begun = []
        with request_started.connected_to(lambda *_, **__: begun.append(1)):
            app = self.app.wsgi_app.behind if behind else self.app
            body, status, headers = run_wsgi_app(app, self.environ(**what), buffered=True)
            return status, list(headers), b"".join(body), bool(begun)

    def agree(self, **what: Any) -> tuple[int, bool]:
        """Ask at both doors, which must give the same answer; returns its status and whether it came ahead of Flask."""
        second = 0
        while second != int(time.time()):  # which some headers tell
            second = int(time.time())
            front, behind = self.ask(**what), self.ask(behind=True, **what)
        assert front[:3] == behind[:3], what
        assert behind[3]
        assert logs._context.get() == {}, "nothing is left to the next request of a thread"
        return int(front[0][:3]), not front[3]


@pytest.fixture
def door(app) -> Door:
    """That of a site on this machine."""
    return Door(app)


@pytest.fixture
def site_at(make_app) -> Callable[..., Door]:
    """A function that makes a site with other settings, and its door."""
    return lambda **settings: Door(make_app(**settings))


AHEAD = (304, True)
ETAGS = {
    'W/"{v}"': AHEAD,
    '"{v}"': AHEAD,
    'W/"1-0-old", "x" , W/"{v}"': AHEAD,
    "{v}": AHEAD,
    "*": AHEAD,
    'W/"{v}': (200, False),
    'W/"{v}x"': (200, False),
    'w/"{v}"': AHEAD,
    "garbage": (200, False),
    ", ,": (200, False),
    "": (200, False),
    None: (200, False),
    'W/"' + "x" * 5000 + '", ' * 100: (200, False),
    '"é\x00", W/"{v}"': AHEAD,
}


def test_versions(door):
    for known, expected in ETAGS.items():
        given = known and known.replace("{v}", door.version)
        assert door.agree(If_None_Match=given) == expected, known


REQUESTS = [
    ({}, AHEAD),
    ({"path": "/live?on=tasks&title=x%00"}, AHEAD),
    ({"method": "HEAD"}, AHEAD),
    ({"method": "OPTIONS"}, (304, False)),
    ({"method": "POST"}, (405, False)),
    ({"method": "PROPFIND"}, (405, False)),
    ({"HX_Request": None}, (303, False)),
    ({"HX_Request": None, "Accept": "*/*"}, AHEAD),
    ({"HX_Request": None, "Accept": None}, AHEAD),
    ({"HX_Request": "True", "Accept": "*/*"}, AHEAD),
    ({"HX_Request": "True"}, (303, False)),
    ({"X_Page_Of": "1"}, AHEAD),
    ({"X_Page_Of": "99"}, AHEAD),
    ({"HX_Current_URL": "http://[", "Range": "bytes=0-", "If_Modified_Since": "x"}, AHEAD),
    ({"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}, (400, False)),
    ({"Upgrade": "h2c"}, (304, False)),
    ({"X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"}, AHEAD),
    ({"path": "/tasks/_list"}, AHEAD),
    ({"path": "/tasks/_list?q=é"}, AHEAD),
    ({"path": "/tasks/_list", "HX_Request": None, "Accept": "*/*"}, (303, False)),
    ({"path": "/tasks/{id}/_panel"}, AHEAD),
    ({"path": "/tasks/{id}/_panel", "method": "POST"}, (405, False)),
    ({"path": NOBODYS_TASK}, AHEAD),
    ({"path": NOBODYS_TASK, "If_None_Match": '"old"'}, (404, False)),
    ({"path": "/tasks/7/_panel"}, (404, False)),
    ({"path": "/messages/bob/_thread"}, AHEAD),
    ({"path": "/messages/b\xc3\xb6b/_thread"}, (304, False)),
    ({"path": "/messages/b\xffb/_thread"}, (304, False)),
    ({"path": "/messages/_inbox"}, AHEAD),
    ({"path": "/_news"}, (200, False)),
    ({"path": "/live/"}, (404, False)),
    ({"path": "//live"}, AHEAD),
    ({"path": "/tasks//_list"}, (308, False)),
    ({"path": "/LIVE"}, (404, False)),
    ({"path": "/live\x00"}, (404, False)),
    ({"path": "/live;x"}, (404, False)),
    ({"path": "/./live"}, (404, False)),
    ({"path": "live"}, AHEAD),
    ({"path": ""}, (308, False)),
    ({"path": "/static/app.css", "HX_Request": None, "Cookie": None}, (200, False)),
]


def test_requests(door):
    task = make_task(State.IN_PROGRESS, door.user)
    for what, expected in REQUESTS:
        given = {name: text and text.replace("{id}", str(task.id)) for name, text in what.items()}
        assert door.agree(**given) == expected, what


def test_every_fragment_of_a_person_is_answered_ahead(door):
    rules = [rule for rule in door.app.url_map.iter_rules() if rule.endpoint in PER_USER_FRAGMENTS]
    named = {"task_id": make_task(State.IN_PROGRESS, door.user).id, "username": "ann"}
    with door.app.test_request_context():
        for rule in rules:
            path = rule.build({name: named[name] for name in rule.arguments})[1]
            assert door.agree(path=path) == AHEAD, path
    assert len(rules) == len(PER_USER_FRAGMENTS)


def _cookies(door) -> dict[str, tuple[str | None, tuple[int, bool]]]:
    """Cookie headers, and what becomes of a poll with each."""
    name, good, mine = door.name, door.sign(door.session), door.session
    # 27 characters have two bits more than the 20 bytes of a signature.
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    spare = alphabet[alphabet.index(good[-1]) ^ 1]
    bob = make_user("bob")
    Session.begin(bob, "of bob")
    gone = (401, False)
    return {
        "beside others": (f'a=b; theme="da\\"rk;"; {name}={good};c; =;d=é', AHEAD),
        "without spaces": (f"a=b;{name}={good}", AHEAD),
        "quoted": (f'{name}="{good}"', AHEAD),
        "of another name": (f"x{name}={good}; {name}x={good}", gone),
        "two, the first is right": (f"{name}={good}; {name}=x", AHEAD),
        "two, the second is right": (f"{name}=x; {name}={good}", gone),
        "none": (None, gone),
        "empty": (f"{name}=; {name}={good}", gone),
        "nonsense": (f"{name}=é\x00\x7f", gone),
        "only dots": (f"{name}=...", gone),
        "another content": (f"{name}=x{good}", gone),
        "another signature": (f"{name}={good[:-5]}AAAAA", gone),
        "the same signature, spelled differently": (f"{name}={good[:-1]}{spare}", AHEAD),
        "a signature with what Base64 skips": (f"{name}={good}!!", AHEAD),
        "signed with another key": (f"{name}={door.sign(mine, key='another secret key')}", gone),
        "nearly too old": (f"{name}={door.sign(mine, ago=YEAR - 60)}", AHEAD),
        "too old": (f"{name}={door.sign(mine, ago=YEAR + 60)}", gone),
        "of the future": (f"{name}={door.sign(mine, ago=-60)}", gone),
        "large": (f"{name}={door.sign(mine | {'words': 'x' * 3000, 'more': list(range(900))})}", AHEAD),
        "of nobody": (f"{name}={door.sign({'csrf_token': 'x'})}", gone),
        "of an ended session": (f"{name}={door.sign(mine | {'_session': 'changed'})}", gone),
        "of somebody else": (f"{name}={door.sign(mine | {'_session': 'of bob'})}", (200, False)),
        "of a browser that is to be remembered": (f"{name}={door.sign(mine | {'_remember': 'clear'})}", (304, False)),
    }  # fmt: skip


def test_cookies(door):
    for why, (header, expected) in _cookies(door).items():
        assert door.agree(Cookie=header) == expected, why


@pytest.mark.parametrize("session", [[], {"_user_id": 7}, {"_user_id": None}])
def test_a_session_of_another_make_is_left_to_flask(door, session):
    assert door.agree(Cookie=f"{door.name}={door.sign(session)}") == (401, False)


HOSTS = {
    "localhost": AHEAD, "LOCALHOST:5000": AHEAD, "127.0.0.1:80": AHEAD, "[::1]:5000": AHEAD, "x.localhost": AHEAD,
    "evil.example": (421, False), "localhost.evil.example": (421, False), "localhost:0": (421, False),
    "localhost@evil.example": (421, False), "[": (421, False), "": (421, False), "\xe9": (421, False),
}  # fmt: skip


def test_hosts(door):
    for host, expected in HOSTS.items():
        assert door.agree(Host=host) == expected, host
    assert door.agree(Host=None) == (304, False), "a server's own name is for Flask to find out"


HERE = "https://errand.example"
THERE = {"base_url": "https://errand.example:8443/there", "hsts_subdomains": True}
SITES = [
    # A site that is reached by HTTPS and trusts nobody; there, the log has to say once that a proxy passes requests on.
    ({"base_url": HERE}, {"scheme": "https"}, AHEAD),
    ({"base_url": HERE}, {"scheme": "https", "Host": "errand.example:443"}, AHEAD),
    ({"base_url": HERE}, {"scheme": "https", "Host": "old.example"}, (421, False)),
    ({"base_url": HERE}, {"scheme": "http"}, (308, False)),
    ({"base_url": HERE}, {"scheme": "http", "X_Forwarded_Proto": "https"}, AHEAD),
    ({"base_url": HERE}, {"scheme": "http", "X_Forwarded_Proto": "https, http"}, (308, False)),
    ({"base_url": HERE}, {"scheme": "https", "X_Forwarded_Proto": "http"}, AHEAD),
    # One behind a proxy, and behind two.
    ({"base_url": HERE, "trusted_proxies": 1}, {"X_Forwarded_Proto": "https", "X_Forwarded_For": "::1"}, AHEAD),
    ({"base_url": HERE, "trusted_proxies": 1}, {"X_Forwarded_Proto": "http, https"}, AHEAD),
    ({"base_url": HERE, "trusted_proxies": 1}, {"X_Forwarded_Proto": "https, http"}, (308, False)),
    ({"base_url": HERE, "trusted_proxies": 1}, {"scheme": "https", "X_Forwarded_Proto": "http"}, (308, False)),
    ({"base_url": HERE, "trusted_proxies": 1}, {"scheme": "https"}, AHEAD),
    ({"base_url": HERE, "trusted_proxies": 1}, {"X_Forwarded_Proto": '"https"'}, (304, False)),
    ({"base_url": HERE, "trusted_proxies": 1}, {"X_Forwarded_Proto": "HTTPS"}, (308, False)),
    ({"base_url": HERE, "trusted_proxies": 1}, {"X_Forwarded_Proto": "wss"}, (400, False)),
    ({"base_url": HERE, "trusted_proxies": 2}, {"X_Forwarded_Proto": "https, http"}, AHEAD),
    ({"base_url": HERE, "trusted_proxies": 2}, {"X_Forwarded_Proto": "https"}, AHEAD),
    ({"base_url": HERE, "trusted_proxies": 2}, {"X_Forwarded_Proto": "http"}, (308, False)),
    ({"base_url": HERE, "trusted_proxies": 2}, {"X_Forwarded_Proto": "https,,http"}, (304, False)),
    # One that nobody has named.
    ({"base_url": ""}, {"Host": "any.example"}, AHEAD),
    ({"base_url": ""}, {"Host": "["}, AHEAD),
    ({"base_url": "", "trusted_proxies": 1}, {"X_Forwarded_Proto": "https"}, AHEAD),
    ({"base_url": "", "trusted_proxies": 1}, {}, (308, False)),
    (THERE, {"scheme": "https", "Host": "errand.example"}, AHEAD),
    (THERE, {"scheme": "https", "Host": "errand.example:8443"}, AHEAD),
]


def test_sites(site_at):
    for settings, requests in itertools.groupby(SITES, lambda row: row[0]):
        door = site_at(**settings)
        for _, what, expected in requests:
            assert door.agree(**what) == expected, (settings, what)
        database.close()


def test_a_proxy_that_is_not_trusted_is_told_in_the_log_also_if_a_poll_comes_first(door, caplog):
    assert door.ask(X_Forwarded_For="203.0.113.7")[3]
    assert "TRUSTED_PROXIES" in caplog.text
    assert door.agree(X_Forwarded_For="203.0.113.7") == AHEAD


def test_it_costs_one_query_and_what_it_learns_is_not_asked_again(door, queries):
    door.ask(If_None_Match=None)  # which records that she was seen
    for known in (f'W/"{door.version}"', 'W/"old"'):
        counts = []
        for behind in (False, True):
            environ = door.environ(If_None_Match=known)
            with queries() as seen:
                run_wsgi_app(door.app.wsgi_app.behind if behind else door.app, environ)
            counts.append(seen.count)
        assert counts[0] == counts[1], "its query stands for one of Flask's"
        assert (counts[0] == 1) == (known != 'W/"old"')


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("the database does not answer"), 503), (ZeroDivisionError("x"), 500)]
)
def test_an_error_is_flasks_to_answer_and_the_database_is_not_asked_twice(door, monkeypatch, error, status):
    asked = []

    def fail(_: str) -> None:
        asked.append(1)
        raise error

    door.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(User, "changes_of", fail)
    assert door.ask()[0].startswith(str(status))
    assert len(asked) == 1
    assert door.agree() == (status, False)


def test_what_is_logged_on_the_way_has_the_id_of_the_answer_also_if_flask_gives_that(door, monkeypatch):
    ids = []
    look_up = User.changes_of
    monkeypatch.setattr(
        User, "changes_of", lambda key: (ids.append(logs._context.get()["request_id"]), look_up(key))[1]
    )
    for known in (f'W/"{door.version}"', 'W/"old"'):
        answer = door.ask(X_Request_ID=None, If_None_Match=known)
        assert ids.pop() == dict(answer[1])["X-Request-ID"]
        assert not ids


# The cookies that were verified


@pytest.fixture
def verified(door, monkeypatch):
    """The reader of a door's cookies, and a list of those that it verifies."""
    reader, seen = SessionCookies(door.app), []
    verify = reader._verify
    monkeypatch.setattr(reader, "_verify", lambda cookie: (seen.append(cookie), verify(cookie))[1])
    return reader, seen


def test_a_cookie_is_verified_once_and_its_age_is_looked_at_each_time(door, verified, monkeypatch):
    reader, seen = verified
    header = f"{door.name}={door.sign(door.session)}"
    assert [reader.session_key(header) for _ in range(3)] == ["of ann"] * 3
    assert len(seen) == 1
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + YEAR + 1)
    assert reader.session_key(header) is None


def test_what_one_request_does_to_its_session_is_not_seen_by_the_next(door):
    request = door.app.request_class(door.environ())
    first, second = (door.app.session_interface.open_session(door.app, request) for _ in range(2))
    first["_user_id"] = "x"
    del first["csrf_token"]
    assert second == door.session
    assert door.agree() == AHEAD


def test_only_cookies_that_the_site_has_signed_as_they_are_take_room(door, verified, monkeypatch):
    reader, _ = verified
    monkeypatch.setattr(session_cookies, "MOST_VERIFIED", 3)
    good = door.sign(door.session)
    large = door.sign(door.session | {"words": [str(number) for number in range(400)]})
    for cookie in (f"{good}!", f"{good}=", f"{good}!!", f"x{good}", "x", large):
        reader.session_key(f"{door.name}={cookie}")
    assert not reader._verified
    assert not reader._headers
    for number in range(5):
        reader.session_key(f"{door.name}={door.sign(door.session | {'number': number})}")
    assert len(reader._verified) == 3


def test_headers_in_which_a_cookie_was_found_take_little_room(door, verified, monkeypatch):
    reader, _ = verified
    monkeypatch.setattr(session_cookies, "MOST_HEADERS", 3)
    good = f"{door.name}={door.sign(door.session)}"
    for header in (f"{good}; x={number}" for number in range(5)):
        assert [reader.session_key(header) for _ in range(2)] == ["of ann"] * 2
    assert len(reader._headers) == 3
    reader.session_key(f"{good}; x={'x' * session_cookies.LONGEST_HEADER}")
    assert len(max(reader._headers, key=len)) < session_cookies.LONGEST_HEADER
