"""Whatever anybody sends, the site answers: every address, field, query and header, with what no browser would send.

Addresses are those of the app's own map. The names of fields and of what a query may say are not listed either: they
are those that the app asks the request for, so a new route, form or filter is tried by itself.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict

from tasks.catalogue import CATALOGUE
from tests.browsing import Browser, browse
from tests.webapp.web.api.client import Program
from tests.webapp.web.site import tokens_of
from webapp.db import is_postgres
from webapp.dev.account_factories import make_api_token, make_picture, make_report
from webapp.dev.desk_factories import make_failure, make_staff, make_worker
from webapp.dev.factories import (
    make_artifact,
    make_mailing,
    make_mailing_file,
    make_message,
    make_notification,
    make_post,
    make_posts,
    make_task,
    make_user,
)
from webapp.dev.mail_factories import make_suppression
from webapp.models import Post, Session, State, User
from webapp.models.mailing.suppression import Reason
from webapp.models.permissions import Role
from webapp.web.api.operation import OPERATIONS, Operation
from webapp.web.api_paths import is_api_path
from webapp.web.rate_limits import limiter
from webapp.web.request_guard import MAX_ID, CleanRequest

NUMBERS = [b"-1", b"2147483648", b"9223372036854775808", b"9" * 5000, "\u0663".encode(), b"1e9"]
BYTES = [b"a\0b", b"\xed\xa0\xbd\xff", "\U00010000".encode() * 100]
TEXTS = [b"../../etc/passwd", b"'; --%s{0}{{7*7}}", b"a\r\nSet-Cookie: x=y"]
TIMES = [b"0001-01-01T00:00", b"9999-12-31T23:59:59", b"0001-01-01T00:00:00_1", b"9999-12-31_99999999999"]
LONG = b"x" * 100_000
IN_PATHS = [*NUMBERS[:5], *BYTES, *TEXTS]
IN_QUERIES = [b"", *NUMBERS[2:], *BYTES, *TEXTS[1:], *TIMES, b"x" * 5000]
IN_FIELDS = [b"", *NUMBERS[2:4], *BYTES[:2], TEXTS[2], *TIMES[:2]]
# What SQLite may refuse as well; the rest is stored there as it is, and so tried on PostgreSQL alone.
ON_SQLITE = {b"", *NUMBERS, TIMES[1]}
on_sqlite_alone = pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # what no database sees

# What a field may well be, so that one that is wrong stands alone and is not saved by another.
GOOD = {
    "username": "bob",
    "password": "correct horse",
    "email": "a@example.com",
    "body": "Hello",
    "subject": "Hello",
    "recipients": "a@example.com",
    "template": "free",
    "time_zone": "UTC",
    "action": "cancel",
    "seconds": "1",
    "format": "json",
    "current": "correct horse battery",
    "form_key": "0" * 32,
    "message": "app",
    "mail": "app",
    "succeeded": "app",
    "failed": "app",
    "reason": "spam",
    "priority": "1",
    "role": "none",
    "quota": "posts",
    "verdict": "fine",
}

# Those that stand together do not get in each other's way.
HEADERS = [
    {
        "If-None-Match": "garbage",
        "If-Modified-Since": "yesterday",
        "If-Range": "\xff",
        "Range": "bytes=a-b",
        "Accept": "\xff/*;q=x",
        "Accept-Language": ",;q=" * 500,
        "Authorization": "Bearer \xff",
        "Expect": "x",
        "X-Forwarded-For": "\xff,,",
        "Transfer-Encoding": "gzip",
        "Referer": "http://[",
    },
    {
        "If-None-Match": 'W/"' + "x" * 5000 + '", ' * 100,
        "Range": "bytes=99999999999999999999-",
        "Referer": "\xff//\\",
        "Accept": "text/html;q=" + "9" * 500,
        "Authorization": "Basic =====",
        "HX-Request": "maybe",
    },
    {"If-None-Match": "*", "Range": "bytes=0-0," * 500, "HX-Request": "true", "HX-Current-URL": "http://["},
    {"If-None-Match": 'W/"1-9223372036854775808-x"', "HX-Request": "true", "HX-Current-URL": "\xff" * 3000},
    {"Cookie": "errand=garbage"},
    {"Cookie": "errand=" + "a." * 2000},
    {"Cookie": '\xff=;;="'},
    {"Content-Length": "abc", "Content-Type": "application/json"},
    {"Content-Length": "-1"},
    {"Content-Type": "\xff; charset=\xff"},
]

MULTIPART = "multipart/form-data; boundary=xx"
PART = b'--xx\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
BODIES = [  # content type, body, whether it may count as a form
    ("application/json", b'{"body": "\\ud83d"}', False),
    ("application/json", b'{"body": 5, "username": [], "password": {"a": null}}', False),
    ("application/json; charset=utf-16", b"[1", False),
    ("application/vnd.x+json", b"{}", False),
    ("text/plain", b"body=Hello", False),
    ("application/xml", b"<a/>", False),
    ("garbage", b"\0", False),
    ("multipart/mixed; boundary=xx", b"--xx--", False),
    ("multipart/form-data", b"--xx\r\n", True),
    ("multipart/form-data; boundary=", b"----", True),
    ("multipart/form-data; boundary=xx", b"--xx\r\nno header\r\n\r\n", True),
    ("multipart/form-data; boundary=xx", PART % (b"body", b"", b"a\0b\xff") + b"--xx", True),
    ("multipart/form-data; boundary=xx", PART % (b"file", b'; filename="\xff\0/../x.csv"', b"\0") + b"--xx--", True),
    ("multipart/form-data; boundary=" + "x" * 5000, b"x" * 5000, True),
    ("application/x-www-form-urlencoded", b"&=&==&%&%zz&" * 500, True),
    ("application/x-www-form-urlencoded; charset=utf-16", b"\xff\xfe&body=\0", True),
    ("application/x-www-form-urlencoded", b"", True),
]

TOO_MANY_PARTS = "multipart/form-data; boundary=xx", PART % (b"", b"", b"") * 3000 + b"--xx--", True

MAILS = {
    "head": b"To: =?utf-8?q?=0Aa?=\r\nSubject: \xff=?x?q?\r\nFrom: <\r\n\r\nHello",
    "charset": b"Content-Type: text/html; charset=nope\r\nSubject: a\r\n\r\n<p>Hello\xff",
    "parts": b"Content-Type: multipart/mixed\r\n\r\n--\r\nContent-Type: \xff\xff\r\n",
    "attached": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: t\xe9xt/\xff\r\n"
    b'Content-Disposition: attachment; filename="=?utf-8?q?=0A=FF?=\xff"\r\n\r\nHello\r\n--x--',
    "nothing": b"",
}


@pytest.fixture(params=["sqlite", "postgres"])
def app(request, make_app, monkeypatch) -> Flask:
    """The app with all that it can have, on each database; its limits on tries are another test's."""
    monkeypatch.setattr(limiter, "enabled", False)
    if request.param == "sqlite":
        return make_app(mailbox=True)
    return make_app(mailbox=True, database_url=request.getfixturevalue("emptied_postgres"))


@pytest.fixture
def site(app) -> dict[str, str]:
    """One of everything of Ann's, who may see all of the desk; what stands for each part of an address."""
    ann = make_staff(Role.ADMIN, "ann")
    make_posts(ann, 3)
    task, mailing = make_task(State.SUCCEEDED, ann), make_mailing(ann)
    message = make_message(bob := make_user("bob"), ann)
    folder = app.config["SETTINGS"].mail_dir
    folder.mkdir(exist_ok=True)
    for name, content in MAILS.items():
        (folder / f"{name}.eml").write_bytes(content)
    with app.app_context():
        tokens = tokens_of(ann)
    found = {
        "post_id": make_post(ann).id,
        "others_id": make_post(bob).id,
        "message_id": message.id,
        "mailing_id": mailing.id,
        "file_id": make_mailing_file(mailing).id,
        "attachment_id": make_mailing_file(mailing).id,
        "task_id": task.id,
        "number": 0,
        "version": make_picture(ann).version,
        "size": 64,
        "suppression_id": make_suppression(ann).id,
        "artifact_id": make_artifact(task).id,
        "name": "countdown",
        "username": "bob",
        "filename": "app.css",
        **tokens,
        "token_id": make_api_token(ann)[0].id,
        "tag": "user",
        "slug": "invalid",
        "session_id": Session.begin(ann, "elsewhere").id,
        "mail_id": "attached",
        "notification_id": make_notification(ann, task=task).id,
        "fingerprint": make_failure().fingerprint,
        "person_id": bob.id,
        "report_id": make_report(ann, message).id,
        "address_id": make_suppression(None, reason=Reason.REFUSED).id,
        "worker": make_worker().token,
    }
    return {name: str(value) for name, value in found.items()}


@pytest.fixture
def asked(monkeypatch) -> dict[str, set[str]]:
    """The names that have been asked of a request, of its `form` and of its `args`."""
    names: dict[str, set[str]] = {"form": set(), "args": set()}

    def recording(kind: str) -> type:
        class Recording(ImmutableMultiDict):
            def _seen(self, name: str) -> str:
                names[kind].add(name)
                return name

            def get(self, name, *args, **options):
                return super().get(self._seen(name), *args, **options)

            def getlist(self, name, *args, **options):
                return super().getlist(self._seen(name), *args, **options)

            def __contains__(self, name):
                return super().__contains__(self._seen(name))

        return Recording

    class RecordedRequest(CleanRequest):
        @property
        def args(self):
            return recording("args")(super().args)

        @property
        def form(self):
            return recording("form")(super().form)

    monkeypatch.setattr(Flask, "request_class", RecordedRequest)
    return names


def _rules(app: Flask, method: str) -> list[str]:
    return sorted({rule.rule for rule in app.url_map.iter_rules() if method in rule.methods})


def _views(app: Flask, method: str) -> list[str]:
    """One rule of each page, for what does not depend on the address: the one with the most parts."""
    found = [rule for rule in app.url_map.iter_rules() if method in rule.methods]
    rules = [rule for rule in found if not is_api_path(rule.rule)]
    return sorted({rule.endpoint: rule.rule for rule in sorted(rules, key=lambda rule: len(rule.arguments))}.values())


def _here(values: list[bytes]) -> list[bytes]:
    """Those of these values that may matter to the database at hand."""
    return values if is_postgres() else [value for value in values if value in ON_SQLITE]


def _paths(rule: str, site: dict[str, str]) -> Iterator[str]:
    """A rule's address with what belongs there, then with each of its parts hostile.

    Numbers and UUIDs are so where they stand last: no view sees any that its converter refuses.
    """
    parts = [part for kind, part in re.findall(r"<(?:([^:<>]+):)?(\w+)>", rule) if kind not in {"int", "uuid"}]
    parts += re.findall(r"<(?:int|uuid):(\w+)>$", rule)

    def fill(values: dict[str, str]) -> str:
        return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda part: values[part[1]], rule)

    yield fill(site)
    for part in parts:
        for value in _here(IN_PATHS):
            yield fill(site | {part: quote(value, safe="")})


class Crawl:
    """Sends what it is told to, as Ann, and remembers what was answered as no site should."""

    def __init__(self, app: Flask) -> None:
        self.app, self.number, self.wrong = app, 0, list[str]()
        self._sign_in()

    def _sign_in(self) -> None:
        self.ann: Browser = browse(self.app, User.by_username("ann"))
        self.token = self.ann.token()
        self.cookie = self.ann.get_cookie("errand").value

    def send(self, method: str, path: str, **options) -> int:
        self.number += 1
        self.ann.set_cookie("errand", self.cookie)  # whatever the last answer made of it
        answer = self.ann.open(path, method=method, **options)
        if answer.status_code >= 500:
            self.wrong.append(f"{answer.status_code} {method} {path[:120]} {str(options)[:200]}")
        return answer.status_code

    def post(self, path: str, fields: dict[str, bytes], headers: dict[str, str] | None = None) -> int:
        pairs = {"csrf_token": self.token.encode()} | fields
        body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs.items())
        content_type = "application/x-www-form-urlencoded"
        return self.send("POST", path, data=body, content_type=content_type, headers=headers)

    def come_back(self) -> None:
        """After what may have ended her session."""
        if self.send("GET", "/tasks/new") != 200:
            self._sign_in()


def test_no_address_is_too_odd_to_be_answered(app, site):
    crawl = Crawl(app)
    for rule in _rules(app, "GET"):
        for path in _paths(rule, site):
            crawl.send("GET", path)
    for rule in _rules(app, "POST"):
        for path in _paths(rule, site):
            crawl.post(path, {})
        crawl.come_back()
    for path in ("/%00", "/%ff", "//", "/" + "a/" * 2000, "/%ED%A0%BD", "/?%ff=%00", "/;a=b", "/\u202e", "/.."):
        crawl.send("GET", path)
    assert crawl.number > 200
    assert not crawl.wrong


def test_no_query_is_too_odd_to_be_answered(app, asked, site):
    app.request_class = Flask.request_class
    crawl, tried = Crawl(app), set()
    for rule in _views(app, "GET"):
        path = next(_paths(rule, site))
        headers = {"HX-Request": "true"} if crawl.send("GET", path) == 303 else {}
        asked["args"].clear()
        crawl.send("GET", path, headers=headers)
        for name in sorted(asked["args"]):
            tried.add(name)
            for value in _here(IN_QUERIES):
                crawl.send("GET", f"{path}?{quote_plus(name)}={quote_plus(value)}", headers=headers)
    assert {"q", "before", "like", "next", "title", "on", "state", "since"} <= tried
    assert not crawl.wrong


def test_no_field_is_too_odd_to_be_answered(app, asked, site):
    app.request_class = Flask.request_class
    crawl, tried = Crawl(app), set()
    for rule in _views(app, "POST"):
        path = next(_paths(rule, site))
        asked["form"].clear()
        crawl.post(path, {})
        good = {name: GOOD[name].encode() for name in asked["form"] & GOOD.keys()}
        crawl.post(path, good)  # what is asked only of one who says what they want
        names = sorted(asked["form"] - {"csrf_token"})
        tried |= set(names)
        crawl.come_back()
        for name in names:
            # What hashes a password takes its time, and does the same with each.
            for value in _here(IN_FIELDS) if name not in {"password", "current"} else BYTES[:1]:
                crawl.post(path, good | {name: value})
        crawl.post(path, dict.fromkeys(names, LONG))
        crawl.come_back()
    assert {"body", "form_key", "recipients", "username", "seconds", "run_at", "about", "task", "action"} <= tried
    assert not crawl.wrong


@on_sqlite_alone
def test_no_header_is_too_odd_to_be_answered(app, site):
    crawl = Crawl(app)
    for rule in _views(app, "GET"):
        for headers in HEADERS:
            crawl.send("GET", next(_paths(rule, site)), headers=headers)
    for path in ("/posts", "/messages/bob", "/mail", "/login", "/notifications/reading"):
        for headers in HEADERS:
            if not headers.keys() & {"Content-Type", "Content-Length", "Cookie"}:
                crawl.post(path, {"body": b"Hello"}, headers)
    assert not crawl.wrong


@on_sqlite_alone
def test_no_method_is_too_odd_to_be_answered(app, site):
    crawl = Crawl(app)
    for rule in {*_rules(app, "GET"), *_rules(app, "POST")}:
        for method in ("HEAD", "OPTIONS", "PUT", "TRACE", "X" * 100):
            status = crawl.send(method, next(_paths(rule, site)))
            assert method in {"HEAD", "OPTIONS"} or status in {400, 404, 405, 415}, f"{method} {rule}: {status}"
    assert not crawl.wrong


@on_sqlite_alone
def test_a_body_that_is_not_a_form_is_refused(app, site):
    crawl = Crawl(app)
    posts = {post.body for post in Post.select()}
    for number, rule in enumerate(_views(app, "POST")):
        path = next(_paths(rule, site))
        # That takes its time, and is refused before any view sees it.
        for content_type, body, is_form in BODIES if number else [*BODIES, TOO_MANY_PARTS]:
            headers = {"X-CSRFToken": crawl.token, "HX-Request": "" if is_form else "true"}
            status = crawl.send("POST", path, data=body, content_type=content_type, headers=headers)
            assert is_form or status == 415, f"{path} takes {content_type}: {status}"
        crawl.come_back()
    assert not crawl.wrong
    assert {post.body for post in Post.select()} <= posts, "one may be deleted or edited by what counts as a form"
    answer = crawl.ann.post("/posts", data=b'{"body": "Hello"}', content_type="application/json")
    assert answer.status_code == 415
    assert answer.one("main h1").text == "Unsupported format"


@on_sqlite_alone
def test_no_file_is_too_odd_to_be_answered(app, site):
    """Neither its name nor what is in it, for any task that takes one, nor for the mail desk."""
    crawl = Crawl(app)
    taking = [function for function in CATALOGUE.values() if function.listed and function.takes_files]
    fields = {f"/tasks/new/{f.name}": next(p.name for p in f.parameters if p.is_file) for f in taking}
    fields |= {path + "/preview": name for path, name in fields.items() if CATALOGUE[path.split("/")[3]].preview}
    fields |= {"/mail/draft": "attachment", "/mail": "recipients_file"}
    for path, field in fields.items():
        for name in (
            b"a\0b.csv",
            b"\xed\xa0\xbd.csv",
            b"../" * 50 + b".jpg",
            b"x" * 5000 + b".txt",
            b"\r\n.csv",
            b".jpg",
        ):
            for content in (b"", b"\0\xff", b"body\na\0b\n", b"a@b.example,\0\xff\n"):
                part = PART % (field.encode(), b'; filename="%s"' % name, content)
                headers = {"X-CSRFToken": crawl.token}
                crawl.send("POST", path, data=part + b"--xx--", content_type=MULTIPART, headers=headers)
    assert crawl.number > 100
    assert not crawl.wrong


OF_PROGRAMS = [
    {"Prefer": "wait=99999999999999999999", "If-Match": "\xff", "Idempotency-Key": "\xff"},
    {"Prefer": "wait=\xff; wait=-1,,=", "If-Match": '"' + "x" * 5000, "Idempotency-Key": "x" * 5000},
    {"Prefer": "," * 5000, "If-Match": "*", "Idempotency-Key": '"', "X-Request-ID": "\xff"},
    {"Authorization": "Bearer " + "errand_pat_" * 500},
    {"Authorization": "bearer\t\xff"},
]


def _odd_requests(operation: Operation, site: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Addresses and headers: each part of the path, what the query may say, and the headers, by turns."""
    path, *odd = _paths(f"/api/v1{operation.rule}", site)
    yield from ((each, {}) for each in odd)
    for name in [each.name for each in operation.query]:
        yield from ((f"{path}?{name}={quote_plus(value)}", {}) for value in _here(IN_QUERIES))
    yield from ((f"{path}?{query}", {}) for query in ("%ff=%00", "&=&==&%&%zz&" * 500))
    yield from ((path, headers) for headers in [*HEADERS, *OF_PROGRAMS])


def test_no_program_is_too_odd_to_be_answered(app, site):
    """And whatever it is told, the document allows it."""
    ann, wrong, number = User.by_username("ann"), [], 0
    for name, operation in OPERATIONS.items():
        program = Program(app, ann)  # some revoke the token that they are asked by
        for path, headers in _odd_requests(operation, site):
            number += 1
            status = program.ask(operation.method, path, headers=headers).status_code
            if status >= 500:
                wrong.append(f"{status} {name} {path[:120]} {str(headers)[:200]}")
    assert number > 20 * len(OPERATIONS)
    assert not wrong


@on_sqlite_alone
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_that_cannot_be_read_says_so_and_hides_no_other(app, site, name):
    browser = browse(app)
    assert len(browser.get("/mailbox").page.select("ul.mails li")) == len(MAILS)
    for path in (f"/mailbox/{name}", f"/mailbox/{name}/html"):
        assert browser.get(path).status_code == 200, path
    assert browser.get(f"/mailbox/{name}/attachments/0").status_code in {200, 404}
    if name == "charset":
        assert "can’t be read" in browser.get("/mailbox/charset/html").text


@on_sqlite_alone
def test_text_is_clean_before_anybody_sees_it(app, site):
    """A NUL is left out, half a character replaced; in fields, queries, and names of these."""
    crawl = Crawl(app)
    assert crawl.post("/posts", {"bo\0dy": b"Hello \0there\0"}) == 303
    assert Post.select().order_by(Post.id.desc()).get().body == "Hello there"
    assert crawl.ann.get("/?q=th%00ere").one("mark").text == "there"


def test_bytes_in_a_query_that_are_no_text_break_nothing(visitor):
    answer = visitor.get("/", environ_overrides={"QUERY_STRING": "q=th\xe9re&\xff"})
    assert answer.status_code == 200
    assert answer.one("mark, [type=search]")["value"] == "th\ufffdre"


def test_ids_are_those_that_a_database_can_hold(app, site):
    ann = browse(app, User.by_username("ann"))
    assert ann.get(f"/mail/{MAX_ID}").status_code == 404
    program = Program(app, ann.user)
    for number in (MAX_ID + 1, 2**63, "٣", "1" * 5000):
        assert ann.get(f"/mail/{number}").status_code == 404
        assert program.ask("PATCH", f"/api/v1/mailings/{number}", json={}).status_code == 404, "not 405"
    assert ann.get(f"/mail/{site['mailing_id']}").status_code == 200


@pytest.mark.parametrize("app", ["postgres"], indirect=True)  # which refuses it
def test_text_in_an_address_is_what_a_database_can_hold(app, site):
    ann = browse(app, User.by_username("ann"))
    for path in ("/people/bob", "/messages/bob", "/desk/kinds/countdown"):
        assert ann.get(path).status_code == 200
        assert ann.get(f"{path}%00").status_code == 404
