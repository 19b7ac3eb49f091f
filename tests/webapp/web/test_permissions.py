"""Views for those who have a role: for everybody else there is nothing."""

import logging

import pytest

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models.permissions import LEAST_ROLE, Action, Role, may
from webapp.web.permissions import permission_required


@pytest.fixture
def doors(app):
    """The address of a page for each action."""
    for action in Action:
        view = permission_required(action)(lambda: "Welcome")
        app.add_url_rule(f"/doors/{action}", f"doors.{action}", view, methods=["GET", "POST"])
    return {action: f"/doors/{action}" for action in Action}


def test_each_role_opens_its_doors_and_there_are_no_others(app, doors):
    people = [
        make_user(role=role, totp_secret=factor) for role in (None, *Role, "later") for factor in (None, "sealed")
    ]
    opened = 0
    for person in (None, *people, make_user(role="admin", totp_secret="sealed", guest=True)):
        browser = browse(app, person)
        nowhere = browser.get("/doors/nowhere")
        for action, door in doors.items():
            answer = browser.get(door)
            if may(person, action):
                opened += 1
                assert (answer.status_code, answer.text) == (200, "Welcome")
            else:
                assert (answer.status_code, answer.words) == (404, nowhere.words)
            sent = browser.submit(door)
            assert sent.status_code == answer.status_code
    assert opened == sum(role.includes(least) for role in Role for least in LEAST_ROLE.values())


def test_who_is_refused_is_in_the_security_log(app, doors, caplog):
    person = make_user(role="viewer", totp_secret="sealed")
    browser = browse(app, person)
    with caplog.at_level(logging.INFO, "errand.security"):
        browser.get(doors[Action.VIEW_DESK])
        browser.get(doors[Action.STEER])
        browse(app).get(doors[Action.STEER])
    known, unknown = (line.fields for line in caplog.records if line.name == "errand.security")
    assert (known["event"], known["account_id"], known["action"]) == ("permission refused", person.id, "steer")
    assert (unknown["account_id"], unknown["action"]) == (None, "steer")
