"""The page of workers: which there are, what they run, and the buttons that quiet and resume one."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from tests.webapp.web.site import HTMX
from webapp.dev.desk_factories import make_staff, make_worker
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, ForceEnd, State, Task, Worker
from webapp.models.audit import Outcome
from webapp.models.permissions import Role


@pytest.fixture
def operator(app):
    return browse(app, make_staff())


def _running(worker: Worker, **fields) -> Task:
    return make_task(State.IN_PROGRESS, worker=worker.token, fencing_token="t", **fields)


def _row(browser, worker: Worker) -> list[str]:
    """What the cells of a worker say."""
    [row] = browser.get("/desk/workers").page.select(f"#worker-{worker.token}")
    return [" ".join(cell.get_text(" ", strip=True).split()) for cell in row.select("th, td")]


def test_each_worker_says_where_it_is_what_it_runs_and_what_it_has(app, operator):
    ours = make_worker("worker-1", release=app.config["RELEASE"], memory=123_456_789)
    other = make_worker("worker-2", pid=9, processes=4, release="before", memory=None)
    task = _running(ours, name="countdown")
    make_task(State.SUCCEEDED, worker=ours.token)
    name, standing, _, running, what, memory, release, action = _row(operator, ours)
    assert (name, standing, running, what) == ("worker-1 pid 4711", "Takes tasks", "1 of 2", "Countdown")
    assert (memory, release, action) == ("120.0 MB", app.config["RELEASE"], "Quiet")
    assert _row(operator, other)[3:7] == ["0 of 4", "–", "–", "before another release"]
    page = operator.get("/desk/workers").page
    [row] = page.select(f"#worker-{ours.token}")
    assert {link["href"] for link in row.select("a")} == {f"/desk/tasks?worker={ours.token}", f"/desk/tasks/{task.id}"}
    assert "1 running, on workers that can run 6 at once." in page.get_text()


def test_a_worker_that_is_gone_is_shown_for_five_minutes(app, operator):
    now = utcnow()
    gone, forgotten = (
        make_worker(lives_until=now - timedelta(minutes=1), heard_at=now - timedelta(minutes=age)) for age in (4, 6)
    )
    page = operator.get("/desk/workers").page
    assert "No worker is running" in page.get_text()
    assert not page.select(f"#worker-{forgotten.token}")
    assert _row(operator, gone)[1] == "Not heard from"
    assert not page.select(f"#worker-{gone.token} button")


def test_without_any_worker_the_page_says_what_to_do(operator):
    page = operator.get("/desk/workers").page
    assert "python -m tasks.worker" in page.select_one(".empty").get_text()
    assert not page.select("table")


def test_an_operator_quiets_a_worker_and_resumes_it_and_the_audit_has_both(app, operator):
    worker = make_worker()
    _running(worker)
    answer = operator.submit(f"/desk/workers/{worker.token}/quiet", reason="It swaps.")
    assert (answer.status_code, answer.location) == (303, "/desk/workers")
    assert Worker.get().quiet_at
    assert _row(operator, worker)[1].startswith("Quiet, with 1 task left since")
    assert "All workers are quiet, so tasks wait." in operator.get("/desk/workers").text
    Task.update(fencing_token=None).execute()
    assert _row(operator, worker)[1].startswith("Quiet, and empty")
    assert operator.submit(f"/desk/workers/{worker.token}/resumption").status_code == 303
    assert Worker.get().quiet_at is None
    audited = [(entry.action, entry.target, entry.reason, entry.outcome) for entry in AuditEntry.select()]
    target = f"worker {worker.token}"
    assert audited == [
        ("quiet worker", target, "It swaps.", Outcome.DONE),
        ("resume worker", target, "", Outcome.DONE),
    ]


def test_the_reason_is_typed_outside_of_what_is_polled_and_has_its_limit(operator):
    worker = make_worker()
    page = operator.get("/desk/workers").page
    assert page.select_one("#steer-workers #reason")
    assert not page.select_one("#workers input, #workers form")
    [button] = page.select(f"#worker-{worker.token} button")
    assert (button["form"], button["formaction"]) == ("steer-workers", f"/desk/workers/{worker.token}/quiet")
    answer = operator.submit(button["formaction"], reason="x" * 301)
    assert (answer.status_code, Worker.get().quiet_at) == (422, None)
    assert "Your reason has 301 characters." in answer.one("#reason-error").text
    assert AuditEntry.get().error == "Your reason has 301 characters. The limit is 300."


def test_who_quiets_a_worker_twice_or_one_that_is_forgotten_changes_nothing(app, operator):
    worker = make_worker(quiet_at=utcnow())
    at = Worker.get().quiet_at
    assert operator.submit(f"/desk/workers/{worker.token}/quiet").status_code == 303
    assert "does that already" in operator.get("/desk/workers").text
    assert Worker.get().quiet_at == at
    assert operator.submit("/desk/workers/nobody/quiet").status_code == 404
    assert [entry.outcome for entry in AuditEntry.select()] == [Outcome.REFUSED] * 2


def test_viewers_see_workers_without_buttons(app):
    worker = make_worker()
    viewer = browse(app, make_staff(Role.VIEWER))
    assert len(_row(viewer, worker)) == 7
    assert viewer.submit(f"/desk/workers/{worker.token}/quiet").status_code == 404
    assert Worker.get().quiet_at is None


def test_the_list_asks_for_itself_and_is_unchanged_until_something_happens(app, operator):
    worker = make_worker(heard_at=utcnow().replace(second=0))
    first = operator.get("/desk/workers/_list", headers=HTMX)
    known = HTMX | {"If-None-Match": first.headers["ETag"]}
    Worker.update(heard_at=Worker.get().heard_at + timedelta(seconds=5), memory=Worker.memory + 1000).execute()
    assert operator.get("/desk/workers/_list", headers=known).status_code == 304
    _running(worker)
    assert operator.get("/desk/workers/_list", headers=known).status_code == 200
    assert operator.get("/desk/workers/_list", headers={"Accept": "text/html"}).location == "/desk/workers"


def test_the_page_takes_two_queries_however_many_workers_and_tasks_there_are(app, operator, queries):
    operator.get("/desk/workers")
    with queries() as before:
        operator.get("/desk/workers")
    workers = [make_worker(f"worker-{number}") for number in range(30)]
    for worker in workers:
        for _ in range(8):
            _running(worker)
    with queries() as after:
        page = operator.get("/desk/workers").page
    assert after.count <= before.count + 1, "what runs is asked for where there is a worker"
    [row] = page.select(f"#worker-{workers[0].token}")
    assert "and 3 more" in row.get_text()


# The end by force


def test_an_operator_ends_a_task_by_force_with_a_reason_that_its_owner_reads(app, operator):
    task = _running(make_worker())
    url = f"/desk/tasks/{task.id}/forced-end"
    assert "its process is killed" in operator.get(url).page.get_text()
    assert operator.submit(url).status_code == 422
    answer = operator.submit(url, reason="It never ends.")
    assert (answer.status_code, answer.location) == (303, f"/desk/tasks/{task.id}")
    assert task.reload().state == State.CANCELING
    [request] = ForceEnd.select()
    assert (request.task_id, request.fencing_token, request.is_told) == (task.id, "t", True)
    told = task.timeline()[-1].words()
    assert told == "Canceled by an operator, without waiting for the current step: It never ends."
    operator.submit(url, reason="Again.")
    outcomes = [(entry.outcome, entry.reason, entry.about_id) for entry in AuditEntry.select().order_by(AuditEntry.id)]
    refused, done, again = outcomes
    assert done == (Outcome.DONE, "It never ends.", task.user_id)
    assert (refused[0], again[0]) == (Outcome.REFUSED, Outcome.REFUSED)
    assert ForceEnd.select().count() == 1


@pytest.mark.parametrize("state", [State.PENDING, State.SUCCEEDED, State.PAUSED])
def test_a_task_that_no_worker_has_cannot_be_ended_by_force(app, operator, state):
    task = make_task(state)
    url = f"/desk/tasks/{task.id}/forced-end"
    assert "nothing to end by force" in operator.get(url).page.get_text()
    assert operator.submit(url, reason="No.").status_code == 303
    assert (task.reload().state, ForceEnd.select().count()) == (state, 0)


def test_viewers_read_what_it_would_do_and_cannot(app):
    task = _running(make_worker())
    viewer = browse(app, make_staff(Role.VIEWER))
    page = viewer.get(f"/desk/tasks/{task.id}/forced-end").page
    assert not page.select("main button")
    assert viewer.submit(f"/desk/tasks/{task.id}/forced-end", reason="x").status_code == 404
    assert task.reload().state == State.IN_PROGRESS


def test_a_worker_of_a_release_before_is_shown_as_it_is_and_is_not_quieted(app):
    old = make_worker("old-1", release=None, memory=None)
    operator = browse(app, make_staff())
    row = operator.get("/desk/workers").page.select_one(f"#worker-{old.token}")
    words = " ".join(row.get_text(" ").split())
    assert "Takes tasks, of an older release" in words
    assert "– of 2" in words
    assert "unknown another release" in words
    assert not row.select("button")
    assert operator.submit(f"/desk/workers/{old.token}/quiet").status_code == 303
    assert Worker.find(old.token).quiet_at is None, "it would go on, and the desk would say that it does not"
