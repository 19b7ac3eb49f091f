"""One thing for many tasks at the desk: what the page says before, and what a press begins."""

import re

import pytest

from tasks.countdown import countdown
from tasks.engine import chain, executor
from tests.browsing import browse
from webapp.dev.desk_factories import make_failure, make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import Artifact, AuditEntry, State, Task, TaskEvent, User, bulk_actions
from webapp.models.audit import Audited, Outcome
from webapp.models.bulk_actions import selection
from webapp.models.bulk_actions.action_words import BULK_ACTIONS
from webapp.models.permissions import Role
from webapp.web.forms import desk_bulk

PAGE, PRESS = "/desk/tasks/bulk", "/desk/tasks/bulk/confirmation"
RETRY_FAILED = f"{PAGE}?action=retry&state=failed"
BULK = Task.name == bulk_actions.BULK_NAME


@pytest.fixture
def operator(app):
    return browse(app, make_staff())


def press(operator, url: str = RETRY_FAILED, **fields: str):
    """Send the form of a page, with a reason unless said otherwise."""
    page = operator.get(url).page
    [form] = page.select(f"form[action='{PRESS}']")
    sent = {each["name"]: each.get("value", "") for each in form.select("input[name]") if each["name"] != "task"}
    ticked = [each["value"] for each in form.select("input[name=task]")]
    return operator.submit(PRESS, **sent | {"reason": "It is back."} | ({"task": ticked} if ticked else {}) | fields)


def text_of(page) -> str:
    return " ".join(page.select_one("main").get_text(" ").split())


def test_the_page_says_what_would_be_done_and_what_is_passed_over(operator):
    ann = make_user("ann")
    tasks = [make_task(State.FAILED, ann, title="Count to 9"), make_task(State.FAILED), make_task(State.SUCCEEDED)]
    text = text_of(operator.get(f"{PAGE}?action=retry&state=failed,succeeded").page)
    assert "Retry 2 tasks?" in text
    assert "Finished or failed tasks." in text
    assert "Failed 2" in text
    assert "Skipped: 1 had already finished." in text
    assert "Count to 9 , of ann" in text
    assert Task.select().where(BULK).count() == 0
    assert all(task.moves == task.reload().moves for task in tasks)


def test_a_press_begins_a_task_of_the_operators_and_leads_to_it(operator):
    failed = [make_task(State.FAILED) for _ in range(2)]
    answer = press(operator)
    task = Task.get(BULK)
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    assert task.user_id == operator.user.id
    assert "Began: Retry 2 tasks." in operator.get(answer.location).text
    [entry] = AuditEntry.select()
    assert (entry.action, entry.outcome, entry.count) == (Audited.START_BULK, Outcome.DONE, 2)
    assert (entry.target, entry.reason) == (f"task {task.id}", "It is back.")
    assert entry.after == {"action": "retry", "filter": {"state": "failed"}}
    assert executor.execute_next()
    assert {each.reload().state for each in failed} == {State.PENDING}
    assert TaskEvent.of(failed[0].id)[-1].words() == "Retried by an operator: It is back."


def test_it_is_for_those_that_are_ticked(operator):
    ticked, other = make_task(State.FAILED), make_task(State.FAILED)
    url = f"{RETRY_FAILED}&task={ticked.id}"
    assert "1 task ticked in the list" in text_of(operator.get(url).page)
    press(operator, url)
    assert executor.execute_next()
    assert (ticked.reload().state, other.reload().state) == (State.PENDING, State.FAILED)
    assert AuditEntry.get().after["filter"] == {"state": "failed"}


@pytest.mark.parametrize(
    "query", ["", "action=retry", "state=failed", "action=dismiss&state=failed", "action=x&state=failed"]
)
def test_nothing_to_do_or_nothing_to_do_it_to_is_said(operator, query):
    make_task(State.FAILED)
    assert "Choose what to do" in text_of(operator.get(f"{PAGE}?{query}").page)
    fields = dict(pair.split("=") for pair in query.split("&") if pair)
    answer = operator.submit(PRESS, **fields | {"reason": "Why not."})
    assert (answer.status_code, Task.select().where(BULK).count()) == (422, 0)


def test_a_filter_that_is_wrong_is_said(operator):
    assert "Nobody is called that." in text_of(operator.get(f"{PAGE}?action=retry&owner=nobody").page)


def test_the_way_back_has_the_same_filter(operator):
    make_task(State.FAILED)
    page = operator.get(f"{RETRY_FAILED}&kind=countdown").page
    assert page.select_one(".crumb a")["href"] == "/desk/tasks?kind=countdown&state=failed"


def test_without_a_reason_nothing_begins(operator):
    make_task(State.FAILED)
    answer = press(operator, reason=" ")
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert [entry.outcome for entry in AuditEntry.select()] == [Outcome.REFUSED]
    assert Task.select().where(BULK).count() == 0


def test_nothing_that_is_left_begins_nothing(operator):
    task = make_task(State.FAILED)
    page_of = operator.get(RETRY_FAILED)
    assert "Retry 1 task" in page_of.text
    task.retry()
    answer = operator.submit(PRESS, **{"action": "retry", "state": "failed", "shown": "1", "reason": "It is back."})
    assert (answer.status_code, "There are no such tasks anymore." in answer.text) == (422, True)


def test_of_very_many_the_number_is_typed(operator, monkeypatch):
    monkeypatch.setattr(desk_bulk, "TYPED_ABOVE", 2)
    for _ in range(3):
        make_task(State.FAILED)
    assert press(operator).status_code == 422
    assert "Type 3 to confirm how many." in press(operator, number="2").text
    assert press(operator, number="3").status_code == 303


def test_some_more_than_were_shown_are_acted_on_and_said(operator):
    make_task(State.FAILED)
    [form] = operator.get(RETRY_FAILED).page.select(f"form[action='{PRESS}']")
    make_task(State.FAILED)
    sent = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
    answer = operator.submit(PRESS, **sent | {"reason": "It is back."})
    assert answer.status_code == 303
    assert "The page said 1" in operator.get(answer.location).text
    assert AuditEntry.get().count == 2


def test_many_more_than_were_shown_have_to_be_confirmed_again(operator):
    for _ in range(30):
        make_task(State.FAILED)
    answer = operator.submit(PRESS, **{"action": "retry", "state": "failed", "shown": "10", "reason": "It is back."})
    assert answer.status_code == 422
    assert "By now, these are 30 tasks. The page that you confirmed said 10." in answer.text
    assert re.search(r'name="shown"[^>]* value="30"', answer.text), "the next press confirms these"


def test_more_than_there_may_be_are_cut_and_that_is_said(operator, monkeypatch):
    monkeypatch.setattr(selection, "MOST", 2)
    tasks = [make_task(State.FAILED) for _ in range(3)]
    text = text_of(operator.get(RETRY_FAILED).page)
    assert "Retry 2 tasks?" in text
    assert "These are the latest" in text
    press(operator)
    executor.execute_next()
    assert [task.reload().state for task in tasks] == [State.FAILED, State.PENDING, State.PENDING]


def test_a_second_press_of_the_same_button_begins_nothing_more(operator):
    make_task(State.FAILED)
    [form] = operator.get(RETRY_FAILED).page.select(f"form[action='{PRESS}']")
    sent = {each["name"]: each.get("value", "") for each in form.select("input[name]")} | {"reason": "It is back."}
    first, second = operator.submit(PRESS, **sent), operator.submit(PRESS, **sent)
    assert (second.status_code, second.location) == (303, first.location)
    assert Task.select().where(BULK).count() == 1
    audited = [(entry.outcome, entry.error) for entry in AuditEntry.select()]
    assert audited == [(Outcome.DONE, ""), (Outcome.REFUSED, "This form had begun it already.")]


def test_one_that_is_not_over_is_named_in_place_of_another(operator):
    make_task(State.FAILED)
    press(operator)
    make_task(State.PAUSED)
    answer = press(operator, f"{PAGE}?action=resume&state=paused")
    assert answer.status_code == 422
    assert f'href="/tasks/{Task.get(BULK).id}"' in answer.text
    assert [entry.outcome for entry in AuditEntry.select()] == [Outcome.DONE, Outcome.REFUSED]


def test_an_operators_own_quota_holds(operator, allow):
    make_task(State.FAILED)
    allow(Quota.ACTIVE_TASKS, 0)
    answer = press(operator)
    assert (answer.status_code, Task.select().where(BULK).count()) == (422, 0)
    assert [entry.outcome for entry in AuditEntry.select()] == [Outcome.REFUSED]


def test_a_viewer_sees_what_would_be_done_and_no_button(app):
    make_task(State.FAILED)
    page = browse(app, make_staff(Role.VIEWER)).get(RETRY_FAILED).page
    assert "Retry 1 task?" in text_of(page)
    assert not page.select(f"form[action='{PRESS}']")


def test_what_people_have_written_and_are_called_is_not_in_the_audit(operator):
    make_task(State.FAILED, make_user("ann"), title="Count to a secret")
    press(operator, f"{PAGE}?action=retry&owner=ann&q=secret&arg.seconds=40")
    said = str(AuditEntry.get().after)
    assert "ann" not in said
    assert "secret" not in said
    assert "40" not in said


def test_the_page_takes_a_few_queries_however_many_there_are(operator, queries):
    def cost(number: int) -> int:
        for _ in range(number):
            make_task(State.FAILED)
        with queries() as seen:
            operator.get(RETRY_FAILED)
        return seen.count

    assert cost(12) == cost(40)


def test_a_failure_leads_to_a_retry_of_its_tasks_and_of_the_workflows_that_failed_by_it(operator):
    group, other = make_failure(), make_task(State.FAILED)
    alone = Task.get(Task.fingerprint == group.fingerprint)
    whole = chain(countdown.s(seconds=1), countdown.s(seconds=1)).launch(make_user())
    part = next(iter(whole.children()))
    failed = {"state": State.FAILED, "started_at": utcnow(), "finished_at": utcnow()}
    Task.update(**failed, fingerprint=group.fingerprint).where(Task.id == part.id).execute()
    Task.update(**failed).where(Task.id == whole.id).execute()
    [link] = operator.get(f"/desk/failures/{group.fingerprint}").page.select("a[href^='/desk/tasks/bulk']")
    assert link.text == "Retry these tasks…"
    assert "All tasks that failed with “The server is down”." in text_of(operator.get(link["href"]).page)
    viewer = browse(operator.application, make_staff(Role.VIEWER))
    assert "All tasks of the failure" in text_of(viewer.get(link["href"]).page)
    press(operator, link["href"])
    assert executor.execute_next()
    assert {each.reload().state for each in (whole, part, alone)} == {State.PENDING}
    assert other.reload().state == State.FAILED
    assert Task.get(BULK).result == "Retried 2 tasks"


def test_the_list_leads_there_with_its_filter_and_no_token_in_the_address(operator):
    make_task(State.FAILED)
    page = operator.get("/desk/tasks?state=failed").page
    [form] = page.select("form#bulk")
    assert (form["method"], form["action"]) == ("get", PAGE)
    sent = {each["name"]: each["value"] for each in page.select("[form=bulk][type=hidden]")}
    assert sent == {"state": "failed"}
    assert not form.select("[name=csrf_token]")
    assert {button["value"] for button in page.select("button[form=bulk]")} == set(BULK_ACTIONS)
    viewer = browse(operator.application, make_staff(Role.VIEWER))
    assert not viewer.get("/desk/tasks?state=failed").page.select("button[form=bulk]")


OUTCOMES = "main table.outcomes tbody tr"


def outcomes_on(page) -> list[str]:
    return [" ".join(row.get_text(" ").split()) for row in page.select(OUTCOMES)]


def begin(operator, action: str = "cancel", state: str = "pending") -> Task:
    press(operator, f"{PAGE}?action={action}&state={state}")
    return Task.get(BULK)


@pytest.mark.parametrize("where", ["/tasks/{}", "/desk/tasks/{}"])
def test_the_page_of_a_bulk_action_counts_its_outcomes_and_leads_to_their_rows(operator, where):
    done, runs, ended, gone = [make_task() for _ in range(4)]
    task = begin(operator)
    Task.update(state=State.IN_PROGRESS, started_at=utcnow()).where(Task.id == runs.id).execute()
    Task.update(state=State.SUCCEEDED, finished_at=utcnow()).where(Task.id == ended.id).execute()
    gone.cancel()
    gone.remove()
    assert outcomes_on(operator.get(where.format(task.id)).page) == ["Not reached 4"]
    assert executor.execute_next()
    page = operator.get(where.format(task.id)).page
    assert outcomes_on(page) == ["Done 1", "Done: stops at its next step 1", "Skipped: had finished 1", "Gone 1"]
    links = [link["href"] for link in page.select(f"{OUTCOMES} a")]
    listed = [[row["id"] for row in operator.get(link).page.select("#desk-tasks tbody tr")] for link in links]
    assert listed == [[f"task-{each.id}"] for each in (done, runs, ended)]


def test_the_rows_of_a_bulk_action_can_be_searched_further(operator):
    again, fine, _other = (make_task(State.FAILED) for _ in range(3))
    url = f"{RETRY_FAILED}&task={again.id}&task={fine.id}"
    press(operator, url)
    task = Task.get(BULK)
    assert executor.execute_next()
    Task.update(state=State.FAILED, finished_at=utcnow(), queue_key=None).where(Task.id == again.id).execute()
    page = operator.get(f"/desk/tasks?state=failed&bulk={task.id}").page
    assert [row["id"] for row in page.select("#desk-tasks tbody tr")] == [f"task-{again.id}"]
    assert "of a bulk action" in page.select_one("#asked").text
    assert "Retry 1 task?" in text_of(operator.get(f"{RETRY_FAILED}&bulk={task.id}").page)


@pytest.mark.parametrize(
    ("bulk", "words"),
    [
        ("nothing", "There is no such bulk action."),
        ("{}.soon", "There is no such bulk action."),
        ("{}", "What it did to which tasks isn’t kept any more."),
    ],
)
def test_rows_of_what_is_no_bulk_action_or_no_longer_kept_are_refused_in_words(operator, bulk, words):
    answer = operator.get(f"/desk/tasks?bulk={bulk.format(make_task(State.SUCCEEDED).id)}")
    assert (answer.status_code, words in answer.text) == (422, True)


def test_counts_stay_without_links_once_the_file_is_gone_or_the_role_is(operator):
    make_task()
    task = begin(operator)
    assert executor.execute_next()
    User.update(role=None).where(User.id == operator.user.id).execute()
    page = operator.get(f"/tasks/{task.id}").page
    assert (outcomes_on(page), page.select(f"{OUTCOMES} a")) == (["Done 1"], [])
    User.update(role=Role.OPERATOR).where(User.id == operator.user.id).execute()
    assert operator.get(f"/tasks/{task.id}").page.select(f"{OUTCOMES} a")
    Artifact.update(expired_at=utcnow()).where(Artifact.task == task.id).execute()
    page = operator.get(f"/tasks/{task.id}").page
    assert (outcomes_on(page), page.select(f"{OUTCOMES} a")) == (["Done 1"], [])
