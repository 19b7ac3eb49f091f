"""Who may do what at the desk: every address, for every role; and what each press leaves in the audit."""

import re
from uuid import uuid4

import pytest

from tests.browsing import browse
from tests.webapp.web.site import HTMX, addresses, is_of_desk
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.models import AuditEntry
from webapp.models.audit import AUDITED, Audited, Outcome
from webapp.models.permissions import Action, Role, may

AUDITED_NOUN = re.compile(r"(task|kind|worker|person|report|suppression) \S+$")
ASKERS = {
    "a visitor": lambda: None,
    "a member": lambda: make_user(),
    "a guest": lambda: make_user(guest=True),
    "an admin without a second factor": lambda: make_user(role=Role.ADMIN),
    **{f"a {role}": lambda role=role: make_staff(role) for role in Role},
}


@pytest.fixture
def desk(app, site):
    """The addresses of the desk, by their method."""
    return {method: [url for url in addresses(app, method, site) if is_of_desk(url)] for method in ("GET", "POST")}


@pytest.mark.parametrize("asker", ASKERS)
def test_the_desk_is_there_for_those_who_may_see_it_and_for_nobody_else(app, desk, asker):
    person = ASKERS[asker]()
    browser = browse(app, person)
    expected = 200 if may(person, Action.VIEW_DESK) else 404
    # What is polled leads to its page where it is opened as one.
    answers = {url: browser.get(url, headers=HTMX if "/_" in url else {}).status_code for url in desk["GET"]}
    assert answers == dict.fromkeys(desk["GET"], expected)


@pytest.mark.parametrize("asker", ASKERS)
def test_each_press_at_the_desk_leaves_one_entry_in_the_audit(app, desk, asker):
    person = ASKERS[asker]()
    browser = browse(app, person)
    for url in desk["POST"]:
        AuditEntry.delete().execute()
        status = browser.submit(url).status_code
        entries = list(AuditEntry.select())
        if person is None or not may(person, Action.VIEW_DESK):
            assert (status, len(entries)) == (404, 0), url
            continue
        [entry] = entries
        assert entry.actor_id == person.id, url
        assert entry.target == "" or re.fullmatch(r"(task|kind|worker|person|report|suppression) \S+", entry.target), (
            url
        )
        if may(person, AUDITED[Audited(entry.action)].needs):
            assert status in (303, 422), url
            assert (entry.outcome == Outcome.DONE) == (status == 303), url
            assert "answered" not in entry.error, "why, in words"
            assert not entry.target or AUDITED_NOUN.match(entry.target), url
        else:
            assert (status, entry.outcome, entry.error) == (404, Outcome.REFUSED, "not allowed by the role"), url


def test_whoever_may_see_the_desk_finds_it_in_the_menu(app):
    for person in (make_user(), *map(make_staff, Role)):
        found = browse(app, person).get("/tasks").page.select("#menu a[href='/desk']")
        assert len(found) == may(person, Action.VIEW_DESK)


def test_a_refused_press_cannot_be_made_out_to_be_about_something_else(app):
    viewer, operator, task = browse(app, make_staff(Role.VIEWER)), browse(app, make_staff()), make_task()
    for browser in (viewer, operator):
        assert browser.submit(f"/desk/kinds/task {task.id}\x1b\u202e/pause").status_code == 404
        assert browser.submit(f"/desk/tasks/{uuid4()}/pause").status_code == 404
    made_out = [entry.target for entry in AuditEntry.select() if entry.action == Audited.PAUSE_KIND]
    assert made_out == [f"kind task {task.id}\\x1b\\u202e"] * 2
    assert viewer.submit(f"/desk/tasks/{task.id}/pause").status_code == 404
    assert [entry.outcome for entry in AuditEntry.of_target(f"task {task.id}")] == [Outcome.REFUSED]
