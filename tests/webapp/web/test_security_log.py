"""The security log: each event has its line, documents list it, and no line has anything that was typed."""

import re
from urllib.parse import quote
from uuid import uuid4

import pytest
from limits import parse_many

from tests.browsing import browse
from tests.processes import ROOT
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.models import Session, State, User
from webapp.models.permissions import Action
from webapp.web.permissions import permission_required
from webapp.web.security_log import Event

# What somebody types on this walk, and no line of any logger may have.
TYPED = {
    "username": "quinoa-typed",
    "email": "typed@somewhere.example",
    "password": "said by nobody else",
    "wrong": "typed wrongly again",
    "new": "another that nobody says",
    "nobody": "typed-into-the-wrong-field",
    "post": "typed into a post",
}
# What is not on this walk, and where it is tested.
ELSEWHERE = {
    Event.USERNAME_CHANGED: "web/routes/test_usernames.py",
    Event.SESSION_ENDED: "web/routes/test_sessions.py",
    Event.OVER_QUOTA: "web/test_over_quota.py",
    Event.STEERED: "web/api/test_operators.py",
    Event.ROLE_CHANGED: "test_cli.py",
    Event.SUSPENDED: "web/routes/desk/test_person.py",
    Event.REINSTATED: "web/routes/desk/test_person.py",
    Event.QUOTA_CHANGED: "web/routes/desk/test_person.py",
    Event.SIGN_IN_OF_SUSPENDED: "web/test_suspended.py",
    Event.ADDRESS_SUPPRESSED: "test_cli.py",
    Event.ADDRESS_UNSUPPRESSED: "test_cli.py",
    Event.RESET_REQUESTED: "web/routes/accounts/test_forgotten_password.py",
    Event.PASSWORD_RESET: "web/routes/accounts/test_forgotten_password.py",
    Event.ADDRESS_ASKED: "web/routes/test_email_addresses.py",
    Event.ADDRESS_CONFIRMED: "web/routes/test_email_addresses.py",
    Event.ADDRESS_UNDONE: "web/routes/test_email_addresses.py",
    Event.ADDRESS_REMOVED: "web/routes/test_email_addresses.py",
    Event.SECOND_FACTOR_ON: "web/routes/test_security_settings.py",
    Event.SECOND_FACTOR_OFF: "test_cli.py",
    Event.SECOND_FACTOR_FAILED: "web/routes/accounts/test_second_step.py",
    Event.RECOVERY_CODE_USED: "web/routes/accounts/test_second_step.py",
    Event.DATA_ASKED: "web/routes/test_data_settings.py",
    Event.RECOVERY_CODES_NEW: "web/routes/test_security_settings.py",
    Event.TOKEN_MADE: "web/routes/test_token_settings.py",
    Event.TOKEN_REVOKED: "web/routes/test_token_settings.py",
    Event.REPORTED: "web/routes/test_reports.py",
    Event.REAUTHENTICATED: "web/routes/test_reauthentication.py",
    Event.DELETION_ASKED: "web/routes/test_deletion.py",
    Event.DELETION_CANCELED: "web/routes/test_deletion.py",
}


@pytest.fixture
def walk(app):
    """A browser at an address of its own, and what sends its forms: by the names of what is typed."""
    browser = browse(app)
    browser.environ_base["REMOTE_ADDR"] = "203.0.113.77"

    def submit(path: str, status: int, **fields: str) -> None:
        answer = browser.submit(path, **{name: TYPED[typed] for name, typed in fields.items()})
        assert answer.status_code == status, path

    return browser, submit


def test_each_event_of_a_walk_has_its_line_and_nothing_typed_is_in_any(app, walk, written, monkeypatch):
    app.add_url_rule("/door", "door", permission_required(Action.VIEW_DESK)(lambda: ""))
    task = make_task(State.SUCCEEDED, make_user())
    artifact = make_artifact(task)
    lines, as_text = written("json"), written("text")
    browser, submit = walk
    submit("/register", 303, username="username", email="email", password="password")
    user = User.by_username(TYPED["username"])
    submit("/posts", 303, body="post")
    submit("/settings/password", 422, current="wrong", password="new")
    submit("/settings/password", 303, current="password", password="new")
    [session] = Session.of(User.get_by_id(user.id), 9)
    for path in (f"/tasks/{task.id}", f"/artifacts/{artifact.id}", f"/tasks/{uuid4()}", "/door"):
        assert browser.get(path).status_code == 404
    assert browser.post("/posts", data={"csrf_token": "forged", "body": TYPED["post"]}).status_code == 400
    submit("/logout", 303)
    submit("/login", 422, username="nobody", password="wrong")
    submit("/login", 303, username="username", password="new")
    monkeypatch.setattr("webapp.web.rate_limits.PER_KNOWN_BROWSER", parse_many("0 per hour"))
    submit("/login", 429, username="username", password="new")

    said = {line["event"]: line for line in lines.objects("errand.security")}
    assert set(Event) - ELSEWHERE.keys() <= said.keys()
    assert {line["level"] for line in said.values()} == {"INFO"}
    assert {line["network"] for line in said.values()} == {"203.0.113.0/24"}
    assert all(re.fullmatch("[0-9a-f]{32}", line["request_id"]) for line in said.values())
    created, refused = said[Event.ACCOUNT_CREATED], said[Event.PERMISSION_REFUSED]
    assert (created["account_id"], created["guest"]) == (user.id, 0)
    assert (refused["account_id"], refused["session_id"], refused["action"]) == (user.id, session.id, "view_desk")
    assert said[Event.RATE_LIMITED]["endpoint"] == "accounts.login"
    asked = [line for line in lines.objects("errand.security") if line["event"] == Event.NOT_THE_OWNER]
    assert [line.get("task_id") for line in asked] == [str(task.id), None]
    assert [line.get("artifact_id") for line in asked] == [None, str(artifact.id)]
    assert "203.0.113.77" not in str(lines.objects("errand.security"))
    for text in (lines.stream.getvalue(), as_text.stream.getvalue()):
        assert [typed for typed in TYPED.values() if typed in text or quote(typed) in text] == []


@pytest.mark.parametrize(("event", "file"), ELSEWHERE.items())
def test_an_event_that_is_not_on_the_walk_is_looked_for_elsewhere(event, file):
    assert f'"{event}"' in (ROOT / "tests" / "webapp" / file).read_text()


def test_a_guests_account_is_told_apart_from_one_with_a_password(visitor, written):
    lines = written("json")
    visitor.submit("/guest")
    created = next(line for line in lines.objects("errand.security") if line["event"] == Event.ACCOUNT_CREATED)
    assert (created["account_id"], created["guest"]) == (User.get().id, 1)


def test_a_form_from_another_site_is_told_apart_from_one_that_is_too_old(ann, written):
    lines = written("json")
    ann.post("/posts", data={"body": "Hello"}, headers={"Sec-Fetch-Site": "cross-site"})
    ann.post("/posts", data={"body": "Hello"})
    said = lines.objects("errand.security")
    assert [(line["cross_site"], line["endpoint"]) for line in said] == [(1, "posts.create"), (0, "posts.create")]
    assert said[1]["user_id"] == ann.user.id


def test_what_is_ones_own_is_never_called_somebody_elses(ann, written):
    hidden = make_task(State.SUCCEEDED, ann.user, hidden=True)
    begun = make_artifact(make_task(State.IN_PROGRESS, ann.user), completed_at=None)
    lines = written("json")
    for path in (f"/tasks/{hidden.id}", f"/artifacts/{begun.id}"):
        assert ann.get(path).status_code == 404
    assert lines.objects("errand.security") == []


def test_operating_lists_each_event_and_no_other():
    text = (ROOT / "docs" / "operating.md").read_text()
    section = text.partition("## The security log\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    assert sorted(re.findall("`([^`]+)`", " ".join(rows))) == sorted(Event)
