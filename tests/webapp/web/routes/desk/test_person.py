"""Somebody's page at the desk, and what admins do there."""

from datetime import timedelta

import pytest

from tests.browsing import browse, words
from webapp.dev.account_factories import make_api_token
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import PASSWORD, make_message, make_post, make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, HeldTask, OverQuota, Session, State, Task, User
from webapp.models.audit import Outcome
from webapp.models.own_quota import OwnQuota
from webapp.models.permissions import Role
from webapp.models.quotas import demand, most_of


@pytest.fixture
def admin(app):
    return browse(app, make_staff(Role.ADMIN, "ada"))


@pytest.fixture
def ann(app):
    return make_user("ann", email="ann@example.com")


def last_entry() -> AuditEntry:
    return AuditEntry.select().order_by(AuditEntry.id.desc()).get()


def test_the_page_tells_what_an_operator_needs_and_nothing_that_is_anns_own(app, ann):
    make_task(State.PENDING, ann, title="Count down from a secret")
    make_post(ann, "A post of hers")
    make_message(ann, make_user(), "A message of hers")
    User.update(about="About her").where(User.id == ann.id).execute()
    page = browse(app, make_staff()).get(f"/desk/people/{ann.id}")
    assert "ann@example.com" in page.words
    assert "waiting 1" in page.words
    assert page.page.select("#quota-active_tasks .number")[0].text == "1"
    for own in ("secret", "post of hers", "message of hers", "About her"):
        assert own not in page.words
    assert not page.page.select("main form"), "operators see what they cannot do without buttons for it"
    assert browse(app, make_staff()).get("/desk/people/999999999999999999999").status_code == 404


def test_a_page_costs_as_many_queries_however_much_there_is(app, ann, queries):
    browser = browse(app, make_staff())
    costs = []
    for number in (1, 30):
        for _ in range(number):
            make_task(State.PENDING, ann)
            Session.begin(ann, f"key-{Session.select().count()}")
        with queries() as seen:
            browser.get(f"/desk/people/{ann.id}")
        costs.append(len(seen.get_queries()))
    assert costs[0] == costs[1] <= 13


def effects(admin, person: User) -> list[str]:
    return [words(line) for line in admin.get(f"/desk/people/{person.id}").page.select("#effects li")]


def test_before_a_press_it_says_whom_it_suspends_and_what_that_does(admin, app, ann):
    make_task(State.PENDING, ann), make_task(State.IN_PROGRESS, ann), make_task(State.SUCCEEDED, ann)
    Session.begin(ann, "a key")
    make_api_token(ann), make_api_token(ann)
    assert effects(admin, ann) == [
        f"Person {ann.id}, ann@example.com",
        "2 active tasks are put on hold",
        "1 session ends",
        "2 API tokens are refused",
        "Nobody can sign in to the account, see its posts and profile, or write to it",
        "All that goes on once it’s reinstated, but for the sessions",
    ]
    page = admin.get(f"/desk/people/{ann.id}").page
    assert words(page.select_one("#suspension")) == "Suspend ann"
    viewer, guest = make_staff(Role.VIEWER, "vic"), make_user(guest=True)
    assert effects(admin, viewer)[:4] == [
        f"Person {viewer.id}, with the role viewer",
        "No active task to put on hold",
        "No session to end",
        "No API token to refuse",
    ]
    assert "All that goes on once it’s reinstated" in effects(admin, guest)


def test_an_admin_suspends_and_reinstates_and_both_are_in_the_audit(admin, app, ann, written):
    task = make_task(State.PENDING, ann)
    lines = written("json")
    answer = admin.submit(f"/desk/people/{ann.id}/suspension", reason="Sends spam.")
    assert (answer.status_code, answer.location) == (303, f"/desk/people/{ann.id}")
    entry = last_entry()
    assert (entry.action, entry.target, entry.about_id) == ("suspend person", f"person {ann.id}", ann.id)
    assert (entry.reason, entry.outcome) == ("Sends spam.", Outcome.DONE)
    assert Task.get_by_id(task.id).state == State.PAUSED, "at once, without a worker"
    assert "Sends spam." in admin.get(f"/desk/people/{ann.id}").words
    assert "Suspended an account" in admin.get(f"/desk/people/{ann.id}").words
    again = admin.submit(f"/desk/people/{ann.id}/suspension", reason="Once more.")
    assert (again.status_code, "It is suspended already." in again.words) == (422, True)
    assert last_entry().outcome == Outcome.REFUSED
    assert admin.submit(f"/desk/people/{ann.id}/reinstatement").status_code == 303
    assert Task.get_by_id(task.id).state == State.PENDING
    assert not HeldTask.select().exists()
    assert admin.submit(f"/desk/people/{ann.id}/reinstatement").status_code == 422
    events = [line["event"] for line in lines.objects("errand.security")]
    assert events == ["account suspended", "account reinstated"]


def test_what_is_scheduled_has_no_time_while_its_owner_is_suspended(admin, ann):
    task = make_task(State.SCHEDULED, ann)
    addresses = f"/desk/tasks/{task.id}", "/desk/schedule", f"/desk/people/{ann.id}"
    assert "while its owner is suspended" not in admin.get(addresses[0]).words
    assert admin.get(addresses[1]).page.select(f"#task-{task.id}")
    admin.submit(f"/desk/people/{ann.id}/suspension", reason="x")
    seen = [admin.get(address) for address in addresses]
    assert "To start at no time while its owner is suspended" in seen[0].words
    assert not seen[1].page.select(f"#task-{task.id}")
    admin.submit(f"/desk/people/{ann.id}/reinstatement")
    assert Task.get_by_id(task.id).run_at == task.run_at


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_a_suspension_needs_a_reason_that_can_be_read(admin, ann, reason):
    answer = admin.submit(f"/desk/people/{ann.id}/suspension", reason=reason)
    assert answer.status_code == 422
    assert answer.page.select("#reason-error")
    assert not User.get_by_id(ann.id).is_suspended


def test_no_admin_does_it_to_themselves_nor_to_the_last_one(app, admin):
    own = admin.user.id
    for path, fields in (("suspension", {"reason": "x"}), ("role", {"role": "none"})):
        answer = admin.submit(f"/desk/people/{own}/{path}", **fields)
        assert (answer.status_code, "You can’t do that to your own account." in answer.words) == (422, True)
    assert not admin.get(f"/desk/people/{own}").page.select("form[action$=suspension], form[action$=role]")
    assert User.get_by_id(own).role == Role.ADMIN


def test_who_confirmed_it_is_them_long_ago_is_asked_once_more_and_the_form_is_kept(app, admin, ann):
    Session.update(authenticated_at=utcnow() - timedelta(hours=1)).execute()
    for path, fields in (("suspension", {"reason": "Sends spam."}), ("role", {"role": "viewer"})):
        asked = admin.submit(f"/desk/people/{ann.id}/{path}", **fields)
        assert asked.status_code == 422
        assert asked.page.select("input[type=password]")
    assert not User.get_by_id(ann.id).is_suspended
    assert not AuditEntry.select().exists(), "nothing was decided yet"
    operator = browse(app, make_staff())
    Session.update(authenticated_at=None).execute()
    assert operator.submit(f"/desk/people/{ann.id}/suspension", reason="x").status_code == 404


def test_ending_all_sessions_signs_out_everywhere_and_leaves_guests_alone(app, admin, ann):
    theirs, guest = browse(app, ann), make_user(guest=True)
    assert admin.submit(f"/desk/people/{ann.id}/sessions").status_code == 303
    assert theirs.get("/tasks").location.startswith("/login")
    assert last_entry().after == 1
    assert admin.submit(f"/desk/people/{guest.id}/sessions").status_code == 422


def test_a_quota_of_ones_own_counts_at_once_until_its_time(admin, ann, allow, written):
    allow(Quota.ACTIVE_TASKS, 10)
    lines = written("json")
    answer = admin.submit(f"/desk/people/{ann.id}/quotas", quota="active_tasks", most="2", days="7", reason="Too many.")
    assert answer.status_code == 303
    assert [line["event"] for line in lines.objects("errand.security")] == ["quota changed"]
    user = User.get_by_id(ann.id)
    assert most_of(Quota.ACTIVE_TASKS, user) == 2
    with pytest.raises(OverQuota):
        demand(Quota.ACTIVE_TASKS, 3, user)
    assert (last_entry().before, last_entry().after) == ({"active_tasks": 10}, {"active_tasks": 2})
    assert "Too many." in admin.get(f"/desk/people/{ann.id}").one("#quota-active_tasks").text
    OwnQuota(2, utcnow() - timedelta(seconds=1), "x").give(user, Quota.ACTIVE_TASKS)
    assert most_of(Quota.ACTIVE_TASKS, user) == 10
    admin.submit(f"/desk/people/{ann.id}/quotas", quota="storage", most="3", reason="x")
    assert most_of(Quota.STORAGE, User.get_by_id(ann.id)) == 3_000_000
    admin.submit(f"/desk/people/{ann.id}/quotas", quota="storage", most="0", reason="x")
    assert most_of(Quota.STORAGE, User.get_by_id(ann.id)) is None
    admin.submit(f"/desk/people/{ann.id}/quotas", quota="storage", most="", reason="x")
    assert "storage" not in User.get_by_id(ann.id).own_quotas


@pytest.mark.parametrize(
    "wrong",
    [{"quota": "site_mails"}, {"most": "-1"}, {"most": "many"}, {"most": "9" * 5000}, {"days": "0"}, {"reason": ""}],
)
def test_a_quota_that_makes_no_sense_is_refused_at_its_field(admin, ann, wrong):
    fields = {"quota": "tokens", "most": "1", "days": "", "reason": "x"} | wrong
    answer = admin.submit(f"/desk/people/{ann.id}/quotas", **fields)
    assert answer.status_code == 422
    assert answer.page.select(".error")
    assert User.get_by_id(ann.id).own_quotas is None


def test_asking_for_a_quota_costs_no_query_with_one_of_ones_own(app, ann, queries):
    OwnQuota(5, None, "x").give(ann, Quota.TOKENS)
    user = User.get_by_id(ann.id)
    with queries(0):
        assert most_of(Quota.TOKENS, user) == 5


def test_an_admin_gives_a_role_and_takes_it_and_a_guest_gets_none(admin, ann):
    assert admin.submit(f"/desk/people/{ann.id}/role", role="viewer").status_code == 303
    assert (last_entry().before, last_entry().after) == ("none", "viewer")
    assert admin.submit(f"/desk/people/{ann.id}/role", role="viewer").status_code == 422
    assert admin.submit(f"/desk/people/{ann.id}/role", role="root").status_code == 422
    assert admin.submit(f"/desk/people/{ann.id}/role", role="none").status_code == 303
    guest = make_user(guest=True)
    assert admin.submit(f"/desk/people/{guest.id}/role", role="viewer").status_code == 422
    assert User.get_by_id(guest.id).role is None


def test_an_account_that_is_to_be_deleted_is_shown_without_a_name_and_left_alone(admin):
    gone = make_user("gone", deletion_due_at=utcnow())
    page = admin.get(f"/desk/people/{gone.id}")
    assert (page.status_code, page.page.select("main form")) == (200, [])
    assert admin.submit(f"/desk/people/{gone.id}/suspension", reason="x").status_code == 404
    assert PASSWORD not in page.words
