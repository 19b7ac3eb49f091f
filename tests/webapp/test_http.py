"""What holds for every address of the site, found in the app's own map of them and not listed by hand."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import request

from tests.browsing import browse, one
from tests.racing import somebody_else_writing
from webapp import db
from webapp.dev.factories import (
    make_artifact,
    make_draft,
    make_mailing,
    make_mailing_file,
    make_message,
    make_notice,
    make_posts,
    make_task,
    make_user,
)
from webapp.lib.times import utcnow
from webapp.models import Message, Post, State, User
from webapp.web.polling import POLLED
from webapp.web.routes import BLUEPRINTS

HTMX = {"HX-Request": "true"}
OPENED = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}  # as browsers open a page


MAIL = b"""\
Subject: Hello\r
Content-Type: multipart/mixed; boundary=xx\r
\r
--xx\r
Content-Type: text/plain\r
Content-Disposition: attachment; filename="a.txt"\r
\r
Hello\r
--xx--\r
"""


@pytest.fixture
def site(ann, settings):
    """A small site with one of everything of Ann's; what stands for each part of an address."""
    settings.mail_dir.mkdir()
    (settings.mail_dir / "20261121-1.eml").write_bytes(MAIL)
    make_posts(ann.user, 25)
    task = make_task(State.IN_PROGRESS, ann.user)
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user))
    make_message(make_user("bob"), ann.user)
    mailing = make_mailing(ann.user)
    make_draft(ann.user)
    return {
        "mailing_id": mailing.id, "file_id": make_mailing_file(mailing).id,
        "task_id": task.id, "artifact_id": artifact.id, "name": "countdown", "username": "bob",
        "filename": "app.css", "mail_id": "20261121-1", "number": 0,
        "notice_id": make_notice(ann.user, task=task).id,
    }  # fmt: skip


def _addresses(app, method: str, site: dict) -> list[str]:
    """Every address that takes a method."""
    rules = [rule for rule in app.url_map.iter_rules() if method in rule.methods]
    with app.test_request_context():
        return sorted({rule.build({name: site[name] for name in rule.arguments})[1] for rule in rules})


def _everything() -> dict[str, list]:
    """Every row of every table, but for when somebody was last seen."""
    found = {}
    for table in db.database.get_tables():
        if table.endswith(("_terms", "_search")):
            continue  # an index of SQLite's, whose content stands in tables of its own
        columns = {column.name for column in db.database.get_columns(table)}
        names = ", ".join(f'"{name}"' for name in sorted(columns - ({"seen_at"} if table == "users" else set())))
        found[table] = sorted(map(str, db.database.execute_sql(f"SELECT {names} FROM {table}").fetchall()))
    return found


NAMED = {"app_name": "Pulse & Co", "mail_default_sender": '"Pulse & Co" <pulse@example.com>'}


def test_a_site_of_another_name_says_ours_nowhere(make_app, site, mailserver, run_tasks):
    """Neither on a page nor in a mail nor in what a page is made of."""
    app = make_app(**NAMED)
    ann, nobody = browse(app, User.by_username("ann")), browse(app)
    for address in _addresses(app, "GET", site):
        for somebody in (ann, nobody):
            assert "errand" not in somebody.get(address).words.lower(), address
    assert ann.get("/tasks").page.title.text == "(1) Tasks · Pulse & Co"
    assert ann.get("/").page.title.text.endswith("Pulse & Co")
    User.update(email="ann@example.com").execute()
    mail = {"recipients": "bob@example.com", "template": "welcome"}
    brought = ann.submit("/mail", **mail, subject="").one("#subject")["value"]
    sent = ann.submit("/mail", **mail, subject=brought)
    exported = ann.submit("/tasks/new/export_posts", format="json")
    assert (sent.status_code, exported.status_code) == (303, 303)
    run_tasks()
    assert [mail["Subject"] for mail in mailserver.mails] == ["Welcome to Pulse & Co", "Your post export is ready"]
    for mail in mailserver.mails:
        bodies = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
        assert "errand" not in " ".join(bodies).lower()
        assert mail["From"].startswith("Pulse & Co <")


# Reading changes nothing


# What a signed-in person is led away from.
LEADS_ON = {"/login", "/register", "/logout"}


def test_reading_changes_nothing(make_app, site):
    """Neither the page nor what it is made of, nor a look at its headers alone; and each is really there."""
    app = make_app(mailbox=True)
    ann, before = browse(app, User.by_username("ann")), _everything()
    assert not Message.get().read_at
    for address in _addresses(app, "GET", site):
        for method in ("GET", "HEAD"):
            for headers in (OPENED, HTMX):
                status = ann.open(address, method=method, headers=headers).status_code
                expected = 303 if _is_fragment(address) and headers == OPENED else 200
                assert status == expected or address in LEADS_ON, f"{method} {address}: {status}"
                assert _everything() == before, f"{method} {address} changes something"
    assert len(_addresses(app, "GET", site)) > 25


def _is_fragment(address: str) -> bool:
    return address == "/live" or address.rpartition("/")[2].startswith("_")


def test_reading_changes_nothing_for_a_visitor(app, visitor, site):
    before = _everything()
    for address in _addresses(app, "GET", site):
        for method in ("GET", "HEAD"):
            assert visitor.open(address, method=method).status_code < 500, address
    assert _everything() == before


def test_every_page_can_be_read_while_somebody_else_writes(app, ann, site, settings, monkeypatch):
    monkeypatch.setattr(db.database.obj, "lock_timeout", 0.0)  # whoever would wait fails
    _was_away(ann.user)
    with somebody_else_writing(settings):
        for address in _addresses(app, "GET", site):
            for headers in ({}, HTMX):
                assert ann.get(address, headers=headers).status_code < 500, address
    assert _age(ann.user) > timedelta(minutes=50)
    ann.get("/")
    assert _age(ann.user) < timedelta(minutes=1), "the next page remembers it"


def test_a_fragment_opened_as_a_page_leads_to_its_page(app, ann, site):
    """As somebody does who opens a link of a poll, or whom a sign-in leads back to it."""
    fragments = [address for address in _addresses(app, "GET", site) if _is_fragment(address)]
    assert len(fragments) == len(POLLED)
    for address in fragments:
        version = ann.get(address, headers=HTMX).headers["ETag"]
        for headers in ({}, {"If-None-Match": version}):
            answer = ann.get(address, headers=headers | OPENED)
            assert answer.status_code == 303, address
            page = ann.get(answer.location)
            assert page.status_code == 200, address
            assert page.one("main#main")
    assert ann.get("/tasks/_list?state=paused&q=a+b").location == "/tasks?state=paused&q=a+b"
    assert ann.get("/live?on=tasks&title=x&_scheme=javascript&_external=1", headers=OPENED).location == "/"
    assert ann.get("/tasks/_list?_scheme=javascript&_anchor=x").location.startswith("/tasks?")


def _was_away(user: User) -> None:
    User.update(seen_at=utcnow() - timedelta(hours=1)).where(User.id == user.id).execute()


def _age(user: User) -> timedelta:
    return utcnow() - User.get_by_id(user.id).seen_at


def test_a_visit_is_remembered_once_a_minute(ann, queries):
    _was_away(ann.user)
    ann.get("/")
    assert _age(ann.user) < timedelta(minutes=1)
    with queries() as seen:
        ann.get("/")
    assert not [query for query in seen.get_queries() if query.msg[0].startswith("UPDATE")]


@pytest.mark.parametrize(
    "path", ["/live", "/tasks/_list", "/tasks/{id}/_panel", "/static/app.css", "/healthz", "/readyz"]
)
def test_what_a_browser_asks_for_by_itself_is_no_visit(ann, path):
    task = make_task(State.IN_PROGRESS, ann.user)
    _was_away(ann.user)
    ann.get(path.format(id=task.id), headers=HTMX)
    assert _age(ann.user) > timedelta(minutes=50)


# Writing takes a token


def test_nothing_is_changed_without_a_token(app, ann, site):
    before, addresses = _everything(), _addresses(app, "POST", site)
    assert len(addresses) >= 10
    for address in addresses:
        for browser in (ann, browse(app)):
            for data in ({}, {"csrf_token": "forged"}):
                answer = browser.post(address, data=data)
                assert answer.status_code == 400, address
                assert "expired" in answer.words
    assert _everything() == before


def test_somebody_elses_token_is_none(app, ann, bob):
    answer = ann.post("/posts", data={"csrf_token": bob.token(), "body": "Hello"})
    assert answer.status_code == 400
    assert not Post.select().exists()


def test_a_token_is_good_for_its_whole_session(ann):
    token = ann.token()
    for _ in range(2):
        assert ann.post("/posts", data={"csrf_token": token, "body": "Hello"}).status_code == 303


def test_every_form_on_every_page_carries_a_token(app, ann, site):
    for browser in (ann, browse(app)):
        for address in _addresses(app, "GET", site):
            answer = browser.get(address)
            if answer.mimetype == "text/html":
                for form in answer.page.select("form[method=post]"):
                    assert form.select_one("input[name=csrf_token]"), f"{form['action']} on {address}"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(app, ann, site, method):
    for address in _addresses(app, "GET", site):
        assert ann.open(address, method=method).status_code in {400, 405}, address


# What each page costs

COSTS = {
    "/": 9,
    "/?q=post": 9,
    "/people/ann": 9,
    "/people/ann?q=post": 10,
    "/tasks": 8,
    "/tasks?state=in_progress&name=countdown&q=count+down&since=2026-01-01": 8,
    "/tasks/_list": 4,
    "/tasks/_list?state=finished": 4,
    "/tasks/{task_id}": 11,
    "/tasks/{task_id}/_panel": 4,
    "/tasks/new": 7,
    "/tasks/new/countdown": 7,
    "/messages": 10,
    "/messages?q=message": 9,
    "/messages/bob": 10,
    "/notifications": 9,
    "/settings": 7,
    "/live": 7,
    "/mail": 11,
    "/mail/_list": 3,
    "/mail/{mailing_id}": 11,
    "/artifacts/{artifact_id}": 4,
    "/healthz": 0,
    "/readyz": 1,
    "/static/app.css": 0,
}


@pytest.mark.parametrize("address", COSTS)
def test_a_page_costs_a_few_queries_however_much_there_is(ann, site, queries, address):
    def write_more():
        make_posts(ann.user, 30)
        for _ in range(30):
            make_artifact(make_task(State.SUCCEEDED, ann.user))
            make_task(State.IN_PROGRESS, ann.user)
            make_message(User.by_username("bob"), ann.user)
            make_notice(ann.user, task=site["task_id"])
            make_mailing(ann.user)

    def cost() -> int:
        with queries() as seen:
            assert ann.get(address.format(**site), headers=HTMX).status_code == 200
        return seen.count

    write_more()
    cost()  # what is asked once is asked now
    assert (before := cost()) <= COSTS[address]
    write_more()
    assert cost() == before


@pytest.mark.parametrize(
    ("address", "most"), [("/", 1), ("/login", 0), ("/register", 0), ("/people/ann", 2), ("/nowhere", 0)]
)
def test_a_page_for_a_visitor_costs_even_less(visitor, site, queries, address, most):
    with queries() as seen:
        visitor.get(address)
    assert seen.count <= most


# What every answer says

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def _is_guarded(answer) -> bool:
    policy = answer.headers["Content-Security-Policy"]
    if policy.startswith("sandbox;"):  # a mail in its frame, which can run and load nothing
        return "default-src 'none'" in policy and "script-src" not in policy and "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "script-src 'self'" in policy
    return all(answer.headers.getlist(name) == [value] for name, value in ALWAYS.items())


def test_every_answer_is_guarded(app, ann, site):
    for browser in (ann, browse(app)):
        for address in [*_addresses(app, "GET", site), "/nowhere", "/?before=x"]:
            for headers in ({}, HTMX):
                assert _is_guarded(browser.get(address, headers=headers)), address


def test_every_refusal_is_guarded(app, ann, site):
    for address in _addresses(app, "POST", site):
        assert _is_guarded(ann.post(address))
    assert _is_guarded(ann.submit("/posts", body=""))
    assert _is_guarded(ann.put("/"))


def test_what_is_not_changed_is_guarded_too(ann):
    answer = ann.get("/live", headers=HTMX)
    again = ann.get("/live", headers=HTMX | {"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert _is_guarded(again)


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(app, ann, site):
    for address in _addresses(app, "GET", site):
        answer = ann.get(address)
        if answer.mimetype != "text/html" or answer.headers["Content-Security-Policy"].startswith("sandbox"):
            continue  # a mail in its frame can do neither
        for tag in answer.page.select("script, link[href], img, use, iframe, source"):
            source = tag.get("src") or tag.get("href")
            assert source, f"{tag} on {address} runs inline"
            assert source.startswith(("/", "data:")), f"{tag} on {address}"
        for tag in answer.page.find_all(True):
            assert not {name for name in tag.attrs if name.startswith("on") or name == "style"}, f"{tag} on {address}"


def test_no_page_of_somebody_is_kept(app, ann, site):
    """But for what is polled, which may be kept for the one question whether it is still right."""
    for address in _addresses(app, "GET", site):
        for headers in (OPENED, HTMX):
            answer = ann.get(address, headers=headers)
            kept, endpoint = answer.headers.get("Cache-Control", ""), _endpoint(app, address)
            if endpoint in POLLED and headers == HTMX:
                assert kept == "private, no-cache", address
            elif endpoint not in {*POLLED, "static", "health.healthz", "health.readyz"}:
                assert "no-store" in kept, address
    assert "no-store" in ann.get("/nowhere").headers["Cache-Control"]
    assert "no-store" in ann.submit("/posts", body="").headers["Cache-Control"]


def _endpoint(app, address: str) -> str:
    return app.url_map.bind("localhost").match(address.partition("?")[0])[0]


def test_a_visitors_page_may_be_kept_for_the_back_button(visitor):
    assert "no-store" not in visitor.get("/").headers.get("Cache-Control", "")


def test_signing_out_clears_what_the_browser_has_kept(ann):
    answer = ann.submit("/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "You’re signed out." in ann.get("/").words


def test_static_files_are_kept_for_a_year_and_change_their_address(ann):
    href = ann.get("/").one('link[href*="app.css"]')["href"]
    assert "v=" in href
    answer = ann.get(href)
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Cache-Control"]


# Cookies, proxies, HTTPS


def _cookie(answer) -> str:
    [cookie] = answer.headers.getlist("Set-Cookie")
    return cookie


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    cookie = _cookie(visitor.submit("/guest"))
    assert cookie.startswith("errand=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_cookie_demands_https_where_the_site_has_it(make_app):
    visitor = browse(make_app(base_url="https://errand.example"))
    cookie = _cookie(visitor.get("/login", base_url="https://errand.example"))
    assert cookie.startswith("__Host-errand=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


# Hosts and HTTPS

HERE = "https://errand.example"
PROBES = ["/healthz", "/readyz"]


@pytest.mark.parametrize(
    "host", ["attacker.example", "errand.example.attacker.example", "errand.example:99@x", "[", ""]
)
def test_a_site_is_itself_under_its_own_name_only(make_app, host):
    visitor = browse(make_app(base_url=HERE))
    for path in ("/", "/login", "/live", "/static/app.css", "/nowhere"):
        answer = visitor.get(path, base_url=HERE, headers={"Host": host})
        assert answer.status_code in {400, 421}, path
    for path in PROBES:
        assert visitor.get(path, base_url=HERE, headers={"Host": host or "10.0.0.1"}).status_code == 200


def test_another_host_is_told_where_the_site_is(make_app):
    answer = browse(make_app(base_url=HERE)).get("/login", base_url="https://old.example")
    assert answer.status_code == 421
    assert "This site is at https://errand.example." in answer.words


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST", "errand.localhost"])
def test_a_site_on_this_machine_is_found_under_each_of_its_names(app, host):
    assert browse(app).get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example"])
def test_a_site_on_this_machine_cannot_be_read_under_a_name_that_is_bound_to_it(app, host):
    assert browse(app).get("/mailbox", headers={"Host": host}).status_code == 421


def test_where_nobody_says_its_name_a_site_has_any(make_app):
    assert browse(make_app(base_url="")).get("/login", headers={"Host": "errand.example"}).status_code == 200


def test_who_comes_by_http_is_led_to_https(make_app):
    visitor = browse(make_app(base_url=HERE))
    answer = visitor.get("/login?next=/tasks", base_url="http://errand.example")
    assert (answer.status_code, answer.location) == (308, "https://errand.example/login?next=/tasks")
    assert "Strict-Transport-Security" not in answer.headers, "nobody who listens to HTTP may believe this"
    for path in PROBES:
        assert visitor.get(path, base_url="http://10.0.0.7:8000").status_code == 200


def test_who_has_come_by_https_to_a_proxy_that_is_not_trusted_is_not_led_there_forever(make_app):
    there = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    assert (
        browse(make_app(base_url=HERE)).get("/login", base_url="http://errand.example", headers=there).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("told", "policy"), [(False, "max-age=31536000"), (True, "max-age=31536000; includeSubDomains")]
)
def test_other_names_of_the_domain_demand_https_only_where_that_is_said(make_app, told, policy):
    answer = browse(make_app(base_url=HERE, hsts_subdomains=told)).get("/login", base_url=HERE)
    assert answer.headers["Strict-Transport-Security"] == policy


def test_a_proxy_that_is_not_trusted_is_told_in_the_log_once(app, caplog):
    for _ in range(3):
        browse(app).get("/login", headers={"X-Forwarded-For": "203.0.113.7"})
    [record] = [record for record in caplog.records if "TRUSTED_PROXIES" in record.getMessage()]
    assert record.levelname == "WARNING"


def test_a_forged_cookie_is_nobodys(visitor, ann):
    visitor.set_cookie("errand", ann.get_cookie("errand").value[:-2] + "xx")
    assert visitor.get("/tasks").status_code == 303


FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


def _seen_by_the_app(app) -> list:
    seen = []
    app.before_request(lambda: seen.append((request.remote_addr, request.scheme, request.host)))
    return seen


def test_nobody_is_believed_about_where_a_request_came_from(app):
    seen = _seen_by_the_app(app)
    answer = browse(app).get("/login", headers=FORWARDED)
    assert seen == [("127.0.0.1", "http", "localhost")]
    assert "Strict-Transport-Security" not in answer.headers


def test_a_trusted_proxy_is_believed_about_the_address_and_the_scheme_but_not_the_host(make_app):
    app = make_app(trusted_proxies=1)
    seen = _seen_by_the_app(app)
    answer = browse(app).get("/login", headers=FORWARDED | {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert seen == [("203.0.113.7", "https", "localhost")]
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in browse(app).get("/login").headers


def test_guesses_from_behind_a_forged_address_are_counted_together(app):
    make_user("ann")
    browser = browse(app)
    token = browser.token()
    answers = [
        browser.post(
            "/login",
            data={"csrf_token": token, "username": "ann", "password": "x"},
            headers={"X-Forwarded-For": f"203.0.113.{n}"},
        ).status_code
        for n in range(11)
    ]
    assert answers[-1] == 429


# Errors


def test_what_is_too_large_is_refused(ann):
    answer = ann.post("/posts", data={"csrf_token": ann.token(), "body": "x" * 11 * 1024 * 1024})
    assert answer.status_code == 413
    assert "too large" in answer.words.lower()
    assert not Post.select().exists()


def test_a_field_that_is_no_file_may_not_be_as_large_as_one(ann):
    fields = {"csrf_token": ann.token(), "body": "x" * 1_100_000}
    parts = [f'--xx\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    body = f"{''.join(parts)}--xx--\r\n"
    assert ann.post("/posts", data=body, content_type="multipart/form-data; boundary=xx").status_code == 413


@pytest.mark.parametrize("body", ["a&" * 500_000, "a=b&" * 2000, "&" * 1_000_000, "body=" + "x" * 3_200_000])
def test_a_form_of_more_fields_or_text_than_any_has_is_refused_before_it_is_read(ann, body):
    kind = "application/x-www-form-urlencoded"
    began = time.process_time()
    assert ann.post("/posts", data=body, content_type=kind).status_code == 413
    assert time.process_time() - began < 1


def test_a_form_of_a_thousand_fields_is_read(ann):
    tasks = [str(uuid4()) for _ in range(1000)]
    answer = ann.post("/tasks/bulk", data={"csrf_token": ann.token(), "action": "cancel", "task": tasks})
    assert answer.status_code == 303


def test_an_error_is_a_page_in_words_with_a_way_home(ann, visitor):
    for browser in (ann, visitor):
        for address, code in (("/nowhere", 404), ("/?before=x", 400)):
            answer = browser.get(address)
            assert answer.status_code == code
            assert answer.one("main h1").text
            assert answer.one('main a[href="/"]')


def test_an_error_for_htmx_is_empty(ann):
    answer = ann.get("/nowhere", headers=HTMX)
    assert (answer.status_code, answer.data) == (404, b"")


PRESSED = HTMX | {"HX-Source": "button#cancel"}


def _said(answer) -> str:
    """What a page says after such an answer to a press."""
    assert answer.one('hx-partial[hx-target="#press-mark"] > #press-mark > i[class=""]'), "it did get through"
    return " ".join(answer.one('hx-partial[hx-target="#flashes"]').text.split())


def test_who_pressed_a_button_is_told_what_is_wrong(ann, bob):
    task = make_task(State.IN_PROGRESS, bob.user)
    answer = ann.submit(f"/tasks/{task.id}/cancellation", headers=PRESSED)
    assert answer.status_code == 404
    assert "no longer exists" in _said(answer)
    answer = ann.submit("/notifications/4711/reading", headers=PRESSED)
    assert answer.status_code == 404
    assert "Page not found." in _said(answer)
    for source in ("textarea#body", "div"):
        answer = ann.submit("/nowhere", headers=HTMX | {"HX-Source": source})
        assert (answer.status_code, answer.data) == (404, b""), "but nobody is interrupted who types"


@pytest.fixture
def broken(make_app, tmp_path):
    """A browser at a site whose database is away."""
    (tmp_path / "a file").touch()
    app = make_app()
    db.database.close()
    db.configure(replace(app.config["SETTINGS"], database_url=f"sqlite:///{tmp_path}/a file/errand.db"))
    yield browse(app)
    db.configure(app.config["SETTINGS"])


def test_without_a_database_the_site_says_so_in_words(broken):
    answer = broken.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "We’ll be right back" in answer.words
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()
    assert _is_guarded(answer)


def test_without_a_database_somebody_signed_in_gets_the_same_words(broken):
    token = broken.token()
    with broken.session_transaction() as session:
        session["_user_id"] = "some key"
    for address, code, words in (
        ("/", 503, "We’ll be right back"), ("/tasks", 503, "We’ll be right back"), ("/nowhere", 404, "Page not found"),
    ):  # fmt: skip
        answer = broken.get(address)
        assert (answer.status_code, words in answer.words) == (code, True), address
    assert broken.get("/live", headers=HTMX).status_code == 503
    assert broken.get("/live", headers=HTMX).data == b""
    answer = broken.post("/notifications/reading", data={"csrf_token": token}, headers=PRESSED)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "isn’t answering right now" in _said(answer)


def test_a_try_again_leads_to_no_other_site(broken):
    with broken.session_transaction() as session:
        session["_user_id"] = "some key"
    answer = broken.get("//evil.example/")
    assert "//evil.example" not in answer.text


def test_without_a_database_the_probes_tell_the_difference(broken):
    assert broken.get("/healthz").status_code == 200
    assert broken.get("/readyz").status_code == 503


def test_with_a_database_both_probes_are_content(visitor):
    assert visitor.get("/healthz").status_code == visitor.get("/readyz").status_code == 200


def test_a_crash_is_logged_and_told_in_words(app, ann, caplog, monkeypatch):
    monkeypatch.setitem(app.view_functions, "tasks.index", lambda: 1 / 0)
    answer = ann.get("/tasks")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_after_a_failed_request_the_next_one_works(app, ann, monkeypatch):
    def fail_in_the_middle():
        db.database.begin()
        raise RuntimeError

    monkeypatch.setitem(app.view_functions, "tasks.catalogue", fail_in_the_middle)
    assert ann.get("/tasks/new").status_code == 500
    assert ann.submit("/posts", body="Hello").status_code == 303
    assert Post.select().count() == 1


def test_every_blueprint_is_on_the_map(app):
    endpoints = {rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules()}
    assert {bp.name for bp in BLUEPRINTS} - {"errors"} <= endpoints


def test_a_form_that_finds_the_database_locked_is_answered_in_words_and_kept(ann):
    """SQLite lets one write at a time; here somebody does so for longer than people are let to wait."""
    token = ann.token()
    db.database.obj.timeout = 0.1
    with closing(sqlite3.connect(db.database.obj.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = ann.post("/posts", data={"body": "Typed “while” locked", "csrf_token": token})
        assert ann.get("/healthz").status_code == 200
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    form = answer.one("main form")
    assert one(form, "input[name=body]")["value"] == "Typed “while” locked"
    ann.post(form["action"], data={field["name"]: field["value"] for field in form.select("input")})
    assert Post.get().body == "Typed “while” locked"
