"""What each page costs, however much there is."""

from collections import Counter

import pytest

from tests.webapp.web.site import HTMX
from webapp.dev.factories import (
    make_artifact,
    make_mailing,
    make_message,
    make_notification,
    make_posts,
    make_task,
)
from webapp.models import State, User

COSTS = {
    "/": 10,
    "/?q=post": 10,
    "/people/ann": 10,
    "/people/ann?q=post": 11,
    "/tasks": 9,
    "/tasks?state=in_progress&name=countdown&q=count+down&since=2026-01-01": 12,
    "/tasks/_list": 4,
    "/tasks/_list?state=finished": 4,
    "/tasks/{task_id}": 12,
    "/tasks/{task_id}/_panel": 4,
    "/tasks/new": 8,
    "/tasks/new/countdown": 8,
    "/messages": 11,
    "/messages?q=message": 10,
    "/messages/bob": 11,
    "/notifications": 10,
    "/settings": 8,
    "/settings/storage": 10,
    "/live": 8,
    "/mail": 12,
    "/mail/_list": 3,
    "/mail/{mailing_id}": 12,
    "/artifacts/{artifact_id}": 4,
    "/healthz": 0,
    "/readyz": 1,
    "/static/app.css": 0,
}


def test_a_page_costs_a_few_queries_however_much_there_is(ann, site, queries):
    def write_more():
        make_posts(ann.user, 30)
        for _ in range(30):
            make_artifact(make_task(State.SUCCEEDED, ann.user))
            make_task(State.IN_PROGRESS, ann.user)
            make_message(User.by_username("bob"), ann.user)
            make_notification(ann.user)
            make_mailing(ann.user)

    def cost(address: str) -> int:
        with queries() as seen:
            assert ann.get(address.format(**site), headers=HTMX).status_code == 200
        return seen.count

    write_more()
    before = {}
    for address, most in COSTS.items():
        cost(address)  # what is asked once is asked now
        before[address] = cost(address)
        assert before[address] <= most, address
    write_more()
    assert {address: cost(address) for address in COSTS} == before


@pytest.mark.parametrize(
    ("address", "most"), [("/", 1), ("/login", 0), ("/register", 0), ("/people/ann", 2), ("/nowhere", 0)]
)
def test_a_page_for_a_visitor_costs_even_less(visitor, site, queries, address, most):
    with queries() as seen:
        visitor.get(address)
    assert seen.count <= most


@pytest.mark.parametrize("address", ["/tasks", "/live", "/", "/notifications"])
def test_a_row_looks_no_template_up_but_how_its_state_stands(ann, app, monkeypatch, address):
    """Each look-up copies the context: nine for each row took more time than all the rest of the page."""
    found, get = [], app.jinja_env.get_template
    monkeypatch.setattr(app.jinja_env, "get_template", lambda name, *more: found.append(name) or get(name, *more))

    def looked_up() -> Counter[str]:
        found.clear()
        assert ann.get(address, headers=HTMX).status_code == 200
        return Counter(found)

    for number in (1, 4):
        make_posts(ann.user, number)
        for _ in range(number):
            make_artifact(make_task(State.SUCCEEDED, ann.user))
            make_notification(ann.user)
        if number == 1:
            few = looked_up()
    more = looked_up() - few
    assert set(more) <= {"tasks/status/_succeeded.html"}
    assert more.total() <= 8  # a notification is of a task, too
