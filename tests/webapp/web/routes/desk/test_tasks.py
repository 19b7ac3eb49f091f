"""Everybody's tasks at the desk: the filter, the list, one task, and what operators do to it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine.models.sealed import sealed
from tasks.engine.models.state import Group
from tasks.engine.models.words import kept
from tasks.send_mail import SENDING
from tests.browsing import browse, words
from webapp.db import database
from webapp.dev.desk_factories import make_failure, make_staff
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, Notification, State, Task, TaskEvent, desk_counts, notification
from webapp.models.audit import Audited, Outcome
from webapp.models.permissions import Role
from webapp.web.presenters.desk import state_counts


@pytest.fixture
def operator(app):
    """An operator's browser."""
    return browse(app, make_staff(name="olga"))


@pytest.fixture
def viewer(app):
    """The browser of somebody who may only look."""
    return browse(app, make_staff(Role.VIEWER, name="vic"))


def rows(answer) -> list[str]:
    return [row["id"] for row in answer.page.select("#desk-tasks tbody tr")]


def ids(*tasks: Task) -> list[str]:
    return [f"task-{task.id}" for task in tasks]


def test_the_list_has_everybodys_tasks_the_latest_first(operator, queries):
    first, second = make_task(State.FAILED), make_task(State.PENDING)
    operator.get("/desk/tasks")
    with queries() as seen:
        answer = operator.get("/desk/tasks")
    assert rows(answer) == ids(second, first)
    assert seen.count <= 6 + len(Group)
    assert second.user.username in answer.text


def test_above_the_list_stands_how_many_are_in_which_state_and_where_these_are(operator, monkeypatch):
    monkeypatch.setattr(desk_counts, "MOST_COUNTED", 2)
    monkeypatch.setattr(state_counts, "MOST_COUNTED", 2)
    for state in (State.FAILED, *[State.PENDING] * 2, *[State.SUCCEEDED] * 3):
        make_task(state)
    make_task(State.FAILED, hidden=True)
    links = operator.get("/desk/tasks").page.select("#states a")
    said = ["Waiting 2", "Scheduled 0", "In progress 0", "Paused 0", "Finished 2+", "Failed 2", "Canceled 0"]
    assert [words(link) for link in links] == said
    for link, number in ((links[0], 2), (links[4], 3), (links[5], 2)):
        answer = operator.get(link["href"])
        assert len(rows(answer)) == number
        assert [words(shown) for shown in answer.page.select("#states [aria-current]")] == [words(link)]


def test_a_failed_task_has_its_traceback_for_operators_and_links_to_what_it_is_about(operator, app):
    group = make_failure()
    task = Task.get(Task.fingerprint == group.fingerprint)
    Task.update(worker="w" * 32).execute()
    page = operator.get(f"/desk/tasks/{task.id}").page
    assert page.select_one(".traceback").text == group.traceback
    links = {link["href"] for link in page.select(".facts a")}
    assert links == {
        f"/desk/people/{task.user_id}",
        "/desk/kinds/countdown",
        f"/desk/workers#worker-{'w' * 32}",
        f"/desk/failures/{group.fingerprint}",
    }
    viewer = browse(app, make_staff(Role.VIEWER))
    assert not viewer.get(f"/desk/tasks/{task.id}").page.select(".traceback")


def test_a_refused_act_stands_on_the_page_of_its_task_with_the_reason(operator):
    task = make_task(State.PENDING)
    operator.submit(f"/desk/tasks/{task.id}/cancellation", reason=" ")
    [row] = operator.get(f"/desk/tasks/{task.id}").page.select(".audit tbody tr")
    assert "Canceled a task" in words(row)
    assert "Refused no reason given" in words(row)


def test_a_filter_is_led_on_to_the_address_that_says_it_shortest(operator):
    wanted, _ = make_task(State.FAILED, make_user("ann"), name="export_posts"), make_task(State.FAILED)
    sent = "/desk/tasks?q=&owner=Ann&state=failed&kind=&argument=seconds%3D40&rescued=0"
    answer = operator.get(sent)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/desk/tasks?owner=ann&state=failed&arg.seconds=40",
    )
    found = operator.get(answer.headers["Location"])
    assert rows(found) == ids(wanted)
    assert found.one("#argument")["value"] == "seconds=40"
    assert "Failed tasks of ann, with seconds “40”" in found.text


def test_times_are_those_of_the_readers_clock_and_saved_in_utc(app):
    operator = browse(app, make_staff(time_zone="Asia/Tokyo"))
    answer = operator.get("/desk/tasks?created_after=2026-11-21T09:30")
    assert answer.headers["Location"] == "/desk/tasks?created_after=2026-11-21T00:30:00Z"
    page = operator.get(answer.headers["Location"])
    assert page.one("#created_after")["value"] == "2026-11-21T09:30"
    assert page.one("h1 ~ #zone").text == "Times: Asia/Tokyo"
    assert browse(app, make_staff()).get("/desk/audit").one("h1 ~ #zone").text == "Times: UTC"


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("owner=nobody-here", "owner", "Nobody is called that."),
        ("state=asleep", "state", "Choose among"),
        ("created_after=yesterday", "created_after", "Enter a time like"),
        ("created_after=0001-01-01T00:00%2B14:00", "created_after", "Enter a time like"),
        (f"q={'x' * 101}", "q", "The limit is 100."),
        ("kind=a'b", "kind", "There is none of that name."),
        ("arg.a%22b=1", "argument", "There is no argument of that name."),
        ("argument=seconds", "argument", "Say name=value"),
        ("internal=maybe", "internal", "Say 1 or 0."),
        ("&".join(f"arg.a{n}=1" for n in range(6)), "argument", "Give at most 5 arguments."),
    ],
)
def test_what_a_filter_may_not_say_is_told_at_its_field(operator, query, field, words):
    make_task()
    answer = operator.get(f"/desk/tasks?{query}")
    assert answer.status_code == 422
    assert words in answer.one(f"#{field}-error").text
    assert rows(answer) == []


def test_a_cursor_that_no_page_gave_out_is_refused(operator):
    assert operator.get("/desk/tasks?before=x").status_code == 400


def test_pages_go_on_where_the_one_before_ended(operator):
    now = utcnow()
    tasks = [make_task(State.FAILED, created_at=now - timedelta(minutes=n), finished_at=now) for n in range(53)]
    first = operator.get("/desk/tasks?kind=countdown")
    second = operator.get(first.one("a[rel=next]")["href"])
    assert sorted(rows(first) + rows(second)) == sorted(ids(*tasks))
    assert not second.page.select("a[rel=next]")
    assert "hx-trigger" in str(second.one("#desk-tasks"))


def test_an_unchanged_list_is_not_sent_again(operator):
    task = make_task(State.IN_PROGRESS)
    first = operator.get("/desk/tasks/_list", headers={"HX-Request": "true"})
    again = {"HX-Request": "true", "If-None-Match": first.headers["ETag"]}
    assert operator.get("/desk/tasks/_list", headers=again).status_code == 304
    task.cancel()
    assert operator.get("/desk/tasks/_list", headers=again).status_code == 200


def test_internal_tasks_and_children_are_there_for_who_asks(operator):
    whole = make_task(State.IN_PROGRESS, name="", title="Two things")
    child = make_task(State.PENDING, whole.user, parent=whole, root=whole)
    internal = make_task(State.PENDING, name="mail_digest", hidden=True)
    assert rows(operator.get("/desk/tasks")) == ids(whole)
    assert rows(operator.get("/desk/tasks?internal=1&children=1")) == ids(internal, child, whole)
    assert "internal" in operator.get("/desk/tasks?internal=1").one(f"#task-{internal.id} .hint").text


# Privacy


SECRET = "the-name-of-a-file"


@pytest.fixture
def told(app) -> Task:
    """A failed task whose arguments, error and timeline say more than others may read."""
    arguments = {"file": SECRET, "password": sealed("sealed-secret")}
    task = make_task(State.FAILED, make_user("ann"), arguments=arguments, error=f"{SECRET} is broken.")
    TaskEvent.create(task=task, kind="log", text=f"Read {SECRET}")
    make_artifact(task, "diary.txt", "dear diary")
    return task


def test_a_viewer_reads_no_argument_and_no_error_and_nobody_reads_what_a_task_has_made(told, operator, viewer):
    for page in (f"/desk/tasks/{told.id}", "/desk/tasks", "/desk/tasks?state=failed", f"/desk/tasks/{told.id}/_panel"):
        assert SECRET not in viewer.get(page, headers={"HX-Request": "true"}).text, page
        assert "diary" not in viewer.get(page).text + operator.get(page).text, page
    seen = operator.get(f"/desk/tasks/{told.id}")
    assert f"{SECRET} is broken." in seen.text
    assert SECRET not in seen.one("#show-arguments").find_parent("form").text
    assert "1, 10 B" in seen.text.replace("\xa0", " ").replace("bytes", "B")


def test_a_viewer_does_not_read_to_which_address_a_mail_is_being_sent(operator, viewer):
    task = make_task(State.IN_PROGRESS, name="send_mail", **kept(stage=SENDING(address="x@example.com")))
    for page in (f"/desk/tasks/{task.id}", f"/desk/tasks/{task.id}/_panel"):
        assert "x@example.com" not in viewer.get(page, headers={"HX-Request": "true"}).text
        assert "x@example.com" in operator.get(page, headers={"HX-Request": "true"}).text


def test_a_viewer_can_guess_at_neither_errors_nor_arguments(told, operator, viewer):
    assert rows(operator.get(f"/desk/tasks?q={SECRET}")) == ids(told)
    assert rows(viewer.get(f"/desk/tasks?q={SECRET}")) == []
    assert rows(operator.get(f"/desk/tasks?arg.file={SECRET}")) == ids(told)
    assert viewer.get(f"/desk/tasks?arg.file={SECRET}").status_code == 422
    assert rows(operator.get("/desk/tasks?arg.password=sealed-secret")) == []


@pytest.mark.parametrize("said", ["NaN", "-Infinity", "1e999", "9" * 90, "1e308", "-0", "[[", "true"])
def test_no_number_that_json_does_not_have_fails_the_search_for_an_argument(each_database, said):
    operator = browse(each_database, make_staff())
    assert operator.get(f"/desk/tasks?arg.seconds={said}").status_code == 200
    assert operator.get(f"/desk/tasks/bulk?action=cancel&arg.seconds={said}").status_code == 200


def test_arguments_are_shown_once_to_an_operator_and_that_is_audited(told, operator, viewer):
    assert viewer.submit(f"/desk/tasks/{told.id}/arguments").status_code == 404
    answer = operator.submit(f"/desk/tasks/{told.id}/arguments")
    [refused, entry] = AuditEntry.select().order_by(AuditEntry.id)
    assert (refused.outcome, entry.outcome, entry.action) == (Outcome.REFUSED, Outcome.DONE, Audited.SHOW_ARGUMENTS)
    assert (entry.target, entry.about_id, entry.before, entry.after) == (f"task {told.id}", told.user_id, None, None)
    shown = operator.get(answer.headers["Location"])
    assert SECRET in shown.one("#arguments + dl").text
    assert "sealed-secret" not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert not operator.get(f"/desk/tasks/{told.id}").page.select("#arguments + dl")


def test_arguments_asked_for_are_not_shown_with_another_task(told, operator):
    other = make_task(arguments={"file": "another"})
    operator.submit(f"/desk/tasks/{told.id}/arguments")
    assert "another" not in operator.get(f"/desk/tasks/{other.id}").text


# One task


def test_the_page_of_a_task_says_what_it_is(operator, queries):
    now = utcnow()
    run = {"ready_at": now - timedelta(seconds=90), "started_at": now - timedelta(seconds=60), "run_seconds": 60.0}
    task = make_task(State.SUCCEEDED, worker="w" * 32, rescues=2, request_id="abc", **run)
    operator.get(f"/desk/tasks/{task.id}")
    with queries() as seen:
        answer = operator.get(f"/desk/tasks/{task.id}")
    assert seen.count <= 11
    facts = {dt.text: dt.find_next("dd").text.strip() for dt in answer.page.select(".facts dt")}
    assert (facts["Waited"], facts["Ran"], facts["Rescued"]) == ("30 s", "1 min", "2")
    assert answer.one(".split")["aria-label"] == "It waited 33% of its time, and ran 67%."


def test_what_it_is_and_why_it_failed_comes_before_what_can_be_done(operator):
    make_failure()
    page = operator.get(f"/desk/tasks/{Task.get().id}").page
    found = page.select(".facts, .panel > .error, #steer, .actions, .timeline")
    assert [(each.get("id") or each["class"][0]) for each in found] == [
        *("facts", "error", "steer", "actions", "facts", "timeline")
    ]
    first = [dt.text for dt in found[0].select("dt")]
    assert first[:3] == ["State", "Owner", "Kind"]


def test_a_press_says_what_it_did_where_the_focus_goes(operator):
    task = make_task(State.PENDING)
    answer = operator.submit(f"/desk/tasks/{task.id}/cancellation", reason="It is not needed.")
    said = operator.get(answer.headers["Location"]).one("#flashes[role=status] .flash[autofocus]")
    assert (said["tabindex"], "Canceled" in said.text) == ("-1", True)


def test_a_poll_brings_no_form_and_is_as_it_was_while_nothing_changes(operator):
    """Its token would be another each time, and what is typed would be gone."""
    task = make_task(State.IN_PROGRESS)
    first = operator.get(f"/desk/tasks/{task.id}/_panel", headers={"HX-Request": "true"})
    assert not first.page.select("#steer *")
    known = {"HX-Request": "true", "If-None-Match": first.headers["ETag"]}
    assert operator.get(f"/desk/tasks/{task.id}/_panel", headers=known).status_code == 304
    assert operator.get(f"/desk/tasks/{task.id}").one("#steer[hx-morph-skip] [name=reason]")


def test_a_workflow_has_its_parts(operator):
    whole = make_task(State.IN_PROGRESS, name="", title="Two things", composition="chain")
    child = make_task(State.PENDING, whole.user, parent=whole, root=whole, title="First")
    assert operator.get(f"/desk/tasks/{whole.id}").one(".parts a")["href"] == f"/desk/tasks/{child.id}"
    assert operator.get(f"/desk/tasks/{child.id}").page.select(f".crumb a[href='/desk/tasks/{whole.id}']")


def test_a_task_that_is_not_there_is_not_found(operator):
    assert operator.get(f"/desk/tasks/{uuid4()}").status_code == 404
    assert operator.submit(f"/desk/tasks/{uuid4()}/cancellation", reason="x").status_code == 404


def test_there_are_buttons_only_for_what_works_and_for_who_may(operator, viewer):
    running, over = make_task(State.IN_PROGRESS), make_task(State.SUCCEEDED)
    found = {button.text.strip() for button in operator.get(f"/desk/tasks/{running.id}").page.select(".actions button")}
    assert found == {"Cancel", "Pause"}
    found = {button.text.strip() for button in operator.get(f"/desk/tasks/{over.id}").page.select(".panel button")}
    assert found == {"Delete for good"}
    assert not viewer.get(f"/desk/tasks/{running.id}").page.select("main form")


@pytest.mark.parametrize(
    ("state", "noun", "action", "becomes"),
    [
        (State.PENDING, "cancellation", Audited.CANCEL_TASK, State.CANCELED),
        (State.IN_PROGRESS, "cancellation", Audited.CANCEL_TASK, State.CANCELING),
        (State.PENDING, "pause", Audited.PAUSE_TASK, State.PAUSED),
        (State.PAUSED, "resumption", Audited.RESUME_TASK, State.PENDING),
        (State.FAILED, "retry", Audited.RETRY_TASK, State.PENDING),
    ],
)
def test_an_operator_acts_with_a_reason_that_the_owner_reads(app, operator, state, noun, action, becomes):
    task = make_task(state, make_user("ann"))
    answer = operator.submit(f"/desk/tasks/{task.id}/{noun}", reason="The mail server is down.")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/tasks/{task.id}")
    assert Task.get_by_id(task.id).state == becomes
    [entry] = AuditEntry.select()
    assert (entry.action, entry.reason, entry.outcome) == (action, "The mail server is down.", Outcome.DONE)
    assert (entry.before, entry.after) == ({"state": state}, {"state": becomes})
    assert "by an operator" in (page := browse(app, task.user).get(f"/tasks/{task.id}").text)
    assert "The mail server is down." in page


def test_the_owner_is_notified_of_what_an_operator_ends(operator):
    task = make_task(State.PENDING)
    operator.submit(f"/desk/tasks/{task.id}/cancellation", reason="It is not needed.")
    assert Notification.get(Notification.about(task.id), Notification.user == task.user).told_at


def test_an_act_without_a_reason_changes_nothing_and_says_so(operator):
    task = make_task(State.PENDING)
    answer = operator.submit(f"/desk/tasks/{task.id}/cancellation", reason=" ")
    assert answer.status_code == 422
    assert "Say why" in answer.one("#reason-error").text
    assert Task.get_by_id(task.id).state == State.PENDING


def test_what_comes_too_late_changes_nothing_and_is_audited_as_refused(operator):
    task = make_task(State.SUCCEEDED)
    answer = operator.submit(f"/desk/tasks/{task.id}/cancellation", reason="Stop it.")
    assert answer.status_code == 303
    assert "Nothing changed" in operator.get(answer.headers["Location"]).text
    [entry] = AuditEntry.select()
    assert (entry.outcome, entry.reason) == (Outcome.REFUSED, "Stop it.")


def test_a_retry_beside_another_of_its_key_is_refused_in_words(operator):
    task = make_task(State.FAILED, unique_key="one")
    make_task(State.PENDING, task.user, unique_key="one", active_unique_key="one")
    answer = operator.submit(f"/desk/tasks/{task.id}/retry", reason="Again.")
    assert "its owner has another one like it" in operator.get(answer.headers["Location"]).text
    assert Task.get_by_id(task.id).state == State.FAILED


def test_a_finished_task_is_deleted_and_the_audit_keeps_that(operator):
    task = make_task(State.FAILED)
    answer = operator.submit(f"/desk/tasks/{task.id}/deletion", reason="Its owner asked for it.")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/tasks")
    assert Task.get_or_none(Task.id == task.id) is None
    [entry] = AuditEntry.select()
    assert (entry.action, entry.target) == (Audited.REMOVE_TASK, f"task {task.id}")


def told_of_deletion(app, owner) -> list[str]:
    page = browse(app, owner).get("/notifications").page
    return [words(row) for row in page.select("#notices li[data-kind=deleted] a > span")]


def test_the_owner_is_told_what_an_operator_deletes_and_why(app, operator):
    task, other = make_task(State.FAILED, title="Count to 9"), make_task(State.FAILED)
    operator.submit(f"/desk/tasks/{task.id}/deletion", reason="It fills the disk.")
    assert told_of_deletion(app, task.user) == ["New: An operator deleted Count to 9: It fills the disk."]
    other.remove()
    assert told_of_deletion(app, other.user) == [], "what they delete themselves is no news"


def test_of_very_many_deleted_tasks_the_latest_are_told(app, operator, monkeypatch):
    monkeypatch.setattr(notification, "MOST_DELETED", 2)
    owner = make_user()
    for number in range(4):
        task = make_task(State.FAILED, owner, title=f"Count to {number}")
        operator.submit(f"/desk/tasks/{task.id}/deletion", reason="Too many.")
    told = told_of_deletion(app, owner)
    assert [line.split(":")[1] for line in told] == [f" An operator deleted Count to {n}" for n in (3, 2)]


@pytest.mark.parametrize("priority", ["11", "-11", "x", "", "1e3", "9" * 30])
def test_a_priority_that_there_is_not_is_refused(operator, priority):
    task = make_task(State.PENDING)
    answer = operator.submit(f"/desk/tasks/{task.id}/priority", priority=priority, reason="First.")
    assert answer.status_code == 422
    assert Task.get_by_id(task.id).priority == 0


def test_a_task_of_a_higher_priority_goes_first(operator, run_tasks):
    first, second = make_task(State.PENDING, queue_key=1), make_task(State.PENDING, queue_key=2)
    operator.submit(f"/desk/tasks/{second.id}/priority", priority="3", reason="They wait on the phone.")
    first, second = Task.get_by_id(first.id), Task.get_by_id(second.id)
    assert second.queue_key < first.queue_key
    [entry] = AuditEntry.select()
    assert (entry.before, entry.after) == ({"priority": 0}, {"priority": 3})
    assert "Changed by an operator: They wait on the phone." in [event.words() for event in second.timeline()]


def test_what_is_over_has_no_priority(operator):
    task = make_task(State.SUCCEEDED)
    operator.submit(f"/desk/tasks/{task.id}/priority", priority="3", reason="First.")
    assert Task.get_by_id(task.id).priority == 0


def test_an_internal_task_can_be_seen_and_canceled(operator):
    task = make_task(State.PENDING, name="mail_digest", hidden=True)
    operator.submit(f"/desk/tasks/{task.id}/cancellation", reason="Not now.")
    assert Task.get_by_id(task.id).state == State.CANCELED


def test_of_an_error_of_the_database_the_audit_keeps_no_more_than_its_name(operator):
    """Its words repeat what is in rows."""
    task = make_task(State.PENDING)
    database.execute_sql("ALTER TABLE task_events RENAME TO events_of_before")
    assert operator.submit(f"/desk/tasks/{task.id}/cancellation", reason="Stuck").status_code == 500
    [entry] = AuditEntry.of_target(f"task {task.id}")
    assert (entry.outcome, entry.error) == (Outcome.REFUSED, "OperationalError")


@pytest.mark.parametrize(("action", "state"), [("retry", State.FAILED), ("resumption", State.PAUSED)])
def test_nobody_lets_a_task_go_on_whose_owner_is_suspended(operator, action, state):
    """What sends spam would go on sending it, and nothing holds it a second time."""
    owner = make_user(suspended_at=utcnow())
    task, about_them = make_task(state, owner), make_task(state, owner, name="mail_account", hidden=True)
    answer = operator.submit(f"/desk/tasks/{task.id}/{action}", reason="All paused ones")
    assert "its owner is suspended" in operator.get(answer.headers["Location"]).words
    assert (task.reload().state, AuditEntry.of_target(f"task {task.id}")[0].outcome) == (state, Outcome.REFUSED)
    operator.submit(f"/desk/tasks/{about_them.id}/{action}", reason="They are to read why")
    assert about_them.reload().state == State.PENDING
    operator.submit(f"/desk/tasks/{task.id}/deletion", reason="Spam")
    assert operator.get(f"/desk/tasks/{task.id}").status_code == (404 if state == State.FAILED else 200)
