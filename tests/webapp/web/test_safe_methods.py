"""Reading changes nothing, at every address of the site."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from tests.racing import somebody_else_writing
from tests.webapp.web.site import HTMX, OPENED, addresses, everything, is_of_desk
from webapp import db
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import (
    make_task,
)
from webapp.lib.times import utcnow
from webapp.models import Message, State, User
from webapp.models.permissions import Role
from webapp.web.polling import POLLED_FRAGMENTS

# What a signed-in person is led away from, or somebody without a second factor.
LEADS_ON = {"/login", "/login/code", "/login/keep", "/register", "/logout"}
LEADS_ON |= {f"/settings/security/{page}" for page in ("second-factor/off", "recovery-codes", "recovery-codes.txt")}
LEADS_ON.add("/settings/password")  # to the form, after the question who they are
LEADS_ON.add("/metrics")  # of programs that have its token


def test_reading_changes_nothing(make_app, site):
    """Neither the page nor what it is made of, nor a look at its headers alone; and each is really there."""
    app = make_app(mailbox=True)
    ann, admin = browse(app, User.by_username("ann")), browse(app, make_staff(Role.ADMIN))
    before = everything()
    assert not Message.get().read_at
    for address in addresses(app, "GET", site):
        for method in ("GET", "HEAD"):
            for headers in (OPENED, HTMX):
                browser = admin if is_of_desk(address) else ann
                status = browser.open(address, method=method, headers=headers).status_code
                expected = 303 if _is_fragment(address) and headers == OPENED else 200
                assert status == expected or address in LEADS_ON, f"{method} {address}: {status}"
                assert everything() == before, f"{method} {address} changes something"
    assert len(addresses(app, "GET", site)) > 25


def _is_fragment(address: str) -> bool:
    return address == "/live" or address.rpartition("/")[2].startswith("_")


def test_reading_changes_nothing_for_a_visitor(app, visitor, site):
    before = everything()
    for address in addresses(app, "GET", site):
        for method in ("GET", "HEAD"):
            assert visitor.open(address, method=method).status_code < 500, address
    assert everything() == before


def test_every_page_can_be_read_while_somebody_else_writes(app, ann, site, settings, monkeypatch):
    admin = browse(app, make_staff(Role.ADMIN))
    monkeypatch.setattr(db.database.obj, "lock_timeout", 0.0)  # whoever would wait fails
    _was_away(ann.user)
    with somebody_else_writing(settings):
        for address in addresses(app, "GET", site):
            for headers in ({}, HTMX):
                browser = admin if is_of_desk(address) else ann
                assert browser.get(address, headers=headers).status_code < 500, address
    assert _age(ann.user) > timedelta(minutes=50)
    ann.get("/")
    assert _age(ann.user) < timedelta(minutes=1), "the next page remembers it"


def test_a_fragment_opened_as_a_page_leads_to_its_page(app, ann, site):
    """As somebody does who opens a link of a poll, or whom a sign-in leads back to it."""
    fragments = [address for address in addresses(app, "GET", site) if _is_fragment(address)]
    assert len(fragments) == len(POLLED_FRAGMENTS)
    admin = browse(app, make_staff(Role.ADMIN))
    for address in fragments:
        browser = admin if is_of_desk(address) else ann
        version = browser.get(address, headers=HTMX).headers["ETag"]
        for headers in ({}, {"If-None-Match": version}):
            answer = browser.get(address, headers=headers | OPENED)
            assert answer.status_code == 303, address
            page = browser.get(answer.location)
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
def test_an_automatic_request_does_not_count_as_seen(ann, path):
    task = make_task(State.IN_PROGRESS, ann.user)
    _was_away(ann.user)
    ann.get(path.format(id=task.id), headers=HTMX)
    assert _age(ann.user) > timedelta(minutes=50)
