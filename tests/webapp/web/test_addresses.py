"""Addresses in templates are kept, and are those that Flask would build."""

from uuid import UUID

import pytest
from flask import url_for
from werkzeug.routing import BuildError

from webapp.web.addresses import url_builder

TASK = UUID("6f1c0000-0000-0000-0000-000000000001")


@pytest.fixture
def built(app, monkeypatch):
    """The endpoints of all addresses that Flask has built."""
    endpoints, build = [], app.url_for
    monkeypatch.setattr(
        app, "url_for", lambda endpoint, **values: endpoints.append(endpoint) or build(endpoint, **values)
    )
    return endpoints


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("home.index", {}),
        ("static", {"filename": "icons.svg"}),
        ("tasks.show", {"task_id": TASK}),
        ("tasks.index", {"before": None, "q": "a&b", "_anchor": "task-list"}),
        ("tasks.index", {"state": ["failed", "paused"]}),
    ],
)
def test_an_address_is_that_of_flask_however_often_it_is_asked_for(app, built, endpoint, values):
    ours = url_builder(app)
    with app.test_request_context():
        assert ours(endpoint, **values) == ours(endpoint, **values) == url_for(endpoint, **values)


def test_an_address_is_built_once(app, built):
    ours = url_builder(app)
    for _ in range(2):
        with app.test_request_context():
            ours("tasks.show", task_id=TASK)
    assert built == ["tasks.show"]


def test_values_that_are_equal_but_read_otherwise_have_addresses_of_their_own(app):
    ours = url_builder(app)
    with app.test_request_context():
        assert [ours("home.index", n=n) for n in (1, True, 1.0, "1")] == ["/?n=1", "/?n=True", "/?n=1.0", "/?n=1"]


def test_a_site_below_a_path_has_other_addresses(app):
    ours = url_builder(app)
    with app.test_request_context():
        assert ours("tasks.index") == "/tasks"
    with app.test_request_context(environ_overrides={"SCRIPT_NAME": "/below"}):
        assert ours("tasks.index") == "/below/tasks"


def test_a_whole_address_is_that_of_the_host_that_was_asked(app):
    ours = url_builder(app)
    for host in ("one.example", "two.example"):
        with app.test_request_context(base_url=f"http://{host}"):
            assert ours("tasks.index", _external=True) == f"http://{host}/tasks"


def test_what_cannot_be_built_raises_each_time(app):
    ours = url_builder(app)
    with app.test_request_context():
        for _ in range(2):
            with pytest.raises(BuildError):
                ours("tasks.show")
