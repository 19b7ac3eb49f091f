"""What a person does about a task: pausing, resuming, canceling, trying again, closing and deleting it."""

import pytest

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.state import ACTIVE, FINISHED
from tests.racing import elsewhere
from webapp.dev.factories import make_artifact, make_task
from webapp.lib.complete import complete
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, Composition, State, Task, TaskEvent, User

HTMX = {"HX-Request": "true"}
ASKS = {"cancellation": "cancel", "pause": "pause", "resumption": "resume", "retry": "retry"}
ACTIONS = ASKS | {"dismissal": "dismiss", "deletion": "remove"}
BECAME = {
    State.PENDING: "“{}” is waiting for a worker.",
    State.PAUSED: "Paused “{}”.",
    State.PAUSING: "Pausing “{}” after its current step.",
    State.CANCELED: "Canceled “{}”.",
    State.CANCELING: "Canceling “{}” after its current step.",
}
IS = complete(
    "IS",
    State,
    {
        State.SCHEDULED: "“{}” is scheduled and hasn’t started yet.",
        State.WAITING: "“{}” is waiting for earlier steps.",
        State.PENDING: "“{}” is already waiting for a worker.",
        State.IN_PROGRESS: "“{}” is running.",
        State.RETRYING: "“{}” is waiting for its next attempt.",
        State.PAUSING: "“{}” is already pausing.",
        State.PAUSED: "“{}” is paused.",
        State.CANCELING: "“{}” is already being canceled.",
        State.CANCELED: "“{}” was already canceled.",
        State.SUCCEEDED: "“{}” has already finished.",
        State.FAILED: "“{}” has already failed.",
    },
)
MOVES = {noun: OWNER_ACTIONS[action].moves for noun, action in ASKS.items()}
ALLOWED = [(noun, state, target) for noun, moves in MOVES.items() for state, target in moves.items()]
REFUSED = [(noun, state) for noun, moves in MOVES.items() for state in State if state not in moves]


# Asking


@pytest.mark.parametrize(("action", "state", "target"), ALLOWED)
def test_an_allowed_owner_action_is_done_and_shown(ann, action, state, target):
    task = make_task(state, ann.user)
    answer = ann.submit(f"/tasks/{task.id}/{action}")
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    page = ann.get(answer.location)
    assert task.reload().state == page.one("article.task")["data-state"] == target
    assert BECAME[target].format(task.title) in page.words


@pytest.mark.parametrize(("action", "state"), REFUSED)
def test_a_stale_owner_action_is_refused_with_the_present_state(ann, action, state):
    task = make_task(state, ann.user)
    before = Task.select().dicts().get()
    answer = ann.submit(f"/tasks/{task.id}/{action}")
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    page = ann.get(answer.location)
    assert f"Nothing changed: {IS[state].format(task.title)}" in page.words
    assert page.one("article.task")["data-state"] == state
    assert Task.select().dicts().get() == before


def test_a_second_press_of_retry_finds_it_under_way(ann):
    task = make_task(State.FAILED, ann.user)
    for _ in range(2):
        answer = ann.submit(f"/tasks/{task.id}/retry")
    assert "“Count down from 40” is already waiting for a worker." in ann.get(answer.location).words
    assert TaskEvent.select().where(TaskEvent.task == task, TaskEvent.kind == "pending").count() == 1


def test_a_task_that_is_tried_again_has_an_alert_again(ann):
    task = make_task(State.FAILED, ann.user)
    ann.submit(f"/tasks/{task.id}/dismissal")
    ann.submit(f"/tasks/{task.id}/retry")
    alert = ann.get("/").one(f"#task-alerts #task-{task.id}")
    assert alert["data-state"] == State.PENDING
    assert "refused" not in alert.text


def test_a_retry_while_another_has_its_place_says_which(ann):
    failed = make_task(State.FAILED, ann.user, unique_key="export", title="The first export")
    other = make_task(
        State.IN_PROGRESS, ann.user, unique_key="export", active_unique_key="export", title="The second export"
    )
    answer = ann.submit(f"/tasks/{failed.id}/retry")
    assert answer.location == f"/tasks/{other.id}"
    assert "“The second export” hasn’t finished yet, so no new task was started." in ann.get(answer.location).words
    assert failed.reload().state == State.FAILED


def test_a_whole_is_canceled_and_tried_again_with_its_parts(ann):
    parent = make_task(State.PENDING, ann.user, composition=Composition.CHAIN, queue_key=None)
    parts = [make_task(State.PENDING, ann.user, parent=parent, root=parent, step=0)]
    parts += [make_task(State.WAITING, ann.user, parent=parent, root=parent, step=1)]
    ann.submit(f"/tasks/{parent.id}/cancellation")
    assert [task.reload().state for task in (parent, *parts)] == [State.CANCELED] * 3
    ann.submit(f"/tasks/{parent.id}/retry")
    assert [task.reload().state for task in (parent, *parts)] == [State.PENDING, State.PENDING, State.WAITING]


@pytest.mark.parametrize("state", sorted(OWNER_ACTIONS["cancel"].moves))
def test_the_timeline_says_who_canceled_it(ann, state):
    task = make_task(state, ann.user)
    ann.submit(f"/tasks/{task.id}/cancellation")
    assert [event.text.split(";")[0] for event in task.timeline()][-1] == "Canceled by you"


def test_the_timeline_of_a_part_says_that_it_was_canceled_with_the_rest(ann):
    parent = make_task(State.PENDING, ann.user, composition=Composition.GROUP, queue_key=None)
    waiting, mine = (make_task(State.PENDING, ann.user, parent=parent, root=parent) for _ in range(2))
    ann.submit(f"/tasks/{mine.id}/cancellation")
    ann.submit(f"/tasks/{parent.id}/cancellation")
    last = [list(task.timeline())[-1].text for task in (parent, mine, waiting)]
    assert last == ["Canceled by you", "Canceled by you", "Canceled with the other parts"]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_a_part_is_tried_again_with_its_whole_and_its_page_says_so(ann, state):
    parent = make_task(State.FAILED, ann.user, composition=Composition.GROUP, title="Resize all")
    part = make_task(state, ann.user, parent=parent, root=parent)
    page = ann.get(f"/tasks/{part.id}")
    assert not page.page.select("article button:not(.over)")
    assert page.one(f'article a[href="/tasks/{parent.id}"]').text == "Resize all"
    ann.submit(f"/tasks/{part.id}/retry")
    ann.submit(f"/tasks/{part.id}/deletion")
    assert part.reload().state == state


# Closing


@pytest.mark.parametrize("state", State)
def test_dismissing_closes_the_alert_of_what_has_ended(ann, state):
    task = make_task(state, ann.user)
    answer = ann.submit(f"/tasks/{task.id}/dismissal")
    assert answer.status_code == 303
    assert (task.reload().dismissed_at is not None) == (state in FINISHED)
    assert bool(ann.get("/").page.select(f"#task-alerts #task-{task.id}")) == (state not in FINISHED)
    assert ann.get(f"/tasks/{task.id}").status_code == 200, "the task itself stays"


def test_dismissing_leads_back_to_the_page_one_was_on(ann):
    task = make_task(State.SUCCEEDED, ann.user)
    for came_from, leads_to in (
        ("http://localhost/people/ann?before=x", "/people/ann?before=x"),
        ("http://evil.example/", f"/tasks/{task.id}"),
        ("http://localhost//evil.example", f"/tasks/{task.id}"),
    ):
        answer = ann.submit(f"/tasks/{task.id}/dismissal", headers={"Referer": came_from})
        assert answer.location == leads_to


# Deleting


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_deleting_takes_the_task_with_all_that_it_made(ann, state):
    task, kept = make_task(state, ann.user, title="Old"), make_artifact(make_task(State.SUCCEEDED, ann.user))
    artifact = make_artifact(task)
    answer = ann.submit(f"/tasks/{task.id}/deletion")
    assert (answer.status_code, answer.location) == (303, "/tasks")
    page = ann.get(answer.location)
    assert "Deleted “Old”." in page.words
    assert [row["id"] for row in page.page.select("#task-list li[id]")] == [f"task-{kept.task_id}"]
    for path in (f"/tasks/{task.id}", f"/artifacts/{artifact.id}"):
        assert ann.get(path).status_code == 404
    assert [row.id for row in Artifact.select()] == [kept.id]
    assert [row.artifact_id for row in ArtifactChunk.select()] == [kept.id]
    assert not TaskEvent.select().where(TaskEvent.task == task.id).exists()


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_an_active_task_is_not_deleted(ann, state):
    task = make_task(state, ann.user)
    page = ann.get(ann.submit(f"/tasks/{task.id}/deletion").location)
    assert f"Nothing changed: {IS[state].format(task.title)}" in page.words
    assert task.reload().state == state
    assert not page.page.select("details")


def test_deleting_a_whole_takes_its_parts(ann):
    parent = make_task(State.SUCCEEDED, ann.user, composition=Composition.GROUP)
    make_artifact(make_task(State.SUCCEEDED, ann.user, parent=parent, root=parent))
    assert "its parts" in ann.get(f"/tasks/{parent.id}").one("details").text
    ann.submit(f"/tasks/{parent.id}/deletion")
    assert not Task.select().exists()
    assert not ArtifactChunk.select().exists()


def test_deleting_takes_two_presses_and_no_javascript(ann):
    details = ann.get(f"/tasks/{make_task(State.FAILED, ann.user).id}").one("details")
    assert not details.has_attr("open")
    button = details.select_one("button")
    assert button["form"] == "action", "a plain form, as the page goes with its task"
    assert not [name for name in button.attrs if name.startswith("hx-")]


def test_a_task_deleted_in_another_tab_is_not_found(ann):
    task = make_task(State.FAILED, ann.user)
    ann.submit(f"/tasks/{task.id}/deletion")
    for action in ACTIONS:
        assert ann.submit(f"/tasks/{task.id}/{action}").status_code == 404


@pytest.mark.parametrize("action", [*ASKS, "deletion"])
def test_a_task_deleted_while_a_button_is_answered_is_not_found(ann, monkeypatch, action):
    task, verb = make_task(State.FAILED, ann.user), ACTIONS[action]
    act = getattr(Task, verb)

    def act_too_late(found: Task) -> None:
        elsewhere(lambda: Task.delete().execute())
        act(found)

    monkeypatch.setattr(Task, verb, act_too_late)
    assert ann.submit(f"/tasks/{task.id}/{action}").status_code == 404


def test_an_htmx_button_of_what_was_deleted_says_so_where_it_was_pressed(ann):
    task = make_task(State.FAILED, ann.user)
    task.remove()
    answer = ann.submit(f"/tasks/{task.id}/retry", headers=HTMX)
    assert answer.status_code == 404
    assert answer.one("hx-partial[hx-target='#flashes']").text.strip() == "That task no longer exists."
    assert answer.headers["HX-Trigger"] == "live", "an alert of it goes"


def test_a_page_that_polls_what_was_deleted_is_led_away(ann):
    task = make_task(State.FAILED, ann.user)
    task.remove()
    answer = ann.get(f"/tasks/{task.id}/_panel", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (404, "/tasks")
    assert "That task no longer exists." in ann.get("/tasks").words


def test_only_a_task_that_is_gone_is_taken_for_one(app, ann, monkeypatch):
    """Another row that is missing is a fault of ours, and is told and logged as one."""
    for missing, status in ((Task, 404), (User, 500), (Artifact, 500)):

        def fail(missing=missing, **_):
            missing.get_by_id("00000000-0000-4000-8000-000000000000" if missing is not User else 0)

        monkeypatch.setitem(app.view_functions, "tasks.catalogue", fail)
        assert ann.get("/tasks/new").status_code == status, missing


# Buttons


@pytest.mark.parametrize("state", State)
def test_a_button_is_there_when_it_works(ann, state):
    task = make_task(state, ann.user)
    works = {action for action, request in ACTIONS.items() if task.can(request)}
    for path, never in (
        ("/", {"deletion"}),
        ("/tasks", {"deletion", "dismissal"}),
        (f"/tasks/{task.id}", {"dismissal"}),
    ):
        element = ann.get(path).one(f"#task-{task.id}")
        buttons = element.select("button[formaction]")
        there = {button["formaction"].partition("?")[0].rpartition("/")[2] for button in buttons}
        assert there == works - never, path


@pytest.mark.parametrize(
    ("before", "press", "after"),
    [
        (State.IN_PROGRESS, "Pause", [(State.PAUSING, "Pausing"), (State.PAUSED, "Resume")]),
        (State.PAUSED, "Resume", [(State.PENDING, "Pause"), (State.IN_PROGRESS, "Pause")]),
        (State.RETRYING, "Retry now", [(State.PENDING, "Pause")]),
        (State.SCHEDULED, "Start now", [(State.PENDING, "Pause")]),
        (State.IN_PROGRESS, "Cancel", [(State.CANCELING, "Canceling"), (State.CANCELED, "Canceled")]),
        (State.IN_PROGRESS, "Cancel", [(State.SUCCEEDED, "Finished"), (State.FAILED, "Failed")]),
        (State.PENDING, "Cancel", [(State.CANCELED, "Canceled")]),
        (State.SCHEDULED, "Cancel", [(State.CANCELED, "Canceled")]),
        (State.FAILED, "Retry", [(State.PENDING, "Waiting"), (State.SUCCEEDED, "Finished")]),
    ],
)
def test_a_placeholder_has_the_id_of_its_button_and_keeps_the_focus(ann, before, press, after):
    task = make_task(before, ann.user)
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        _put(task, before)
        [pressed] = [id for id, (label, _) in _buttons(ann, path, task).items() if label == press]
        for state, words in after:
            _put(task, state)
            assert _buttons(ann, path, task)[pressed][0] == words, (path, state)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("begun", [True, False])
def test_no_second_press_on_cancel_starts_anything(ann, state, begun):
    """Whatever state the page shows next: what has the id of Cancel, or stands beside the title, starts nothing."""
    task = make_task(state, ann.user, **{} if begun else {"started_at": None})
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        cancel = _buttons(ann, path, task)[f"task-{task.id}-cancel"][1]
        assert cancel in ("", f"/tasks/{task.id}/cancellation")
        if state in FINISHED:
            places = ann.get(path).one(f"#task-{task.id}").select(".actions [formaction]")
            assert {place["formaction"].rpartition("/")[2] for place in places} <= {"dismissal"}


def _put(task: Task, state: State) -> None:
    Task.update(state=state, finished_at=utcnow() if state in FINISHED else None).where(Task.id == task.id).execute()


def _buttons(browser, path: str, task: Task) -> dict[str, tuple[str, str]]:
    """What each button of a task says and where it leads, by its id; an empty string where it does nothing."""
    buttons = browser.get(path).one(f"#task-{task.id}").select("button[id]")
    return {
        button["id"]: (button.text.split(task.title)[0].strip(), button.get("formaction", "")) for button in buttons
    }


def test_a_button_says_whose_it_is(ann):
    task = make_task(State.IN_PROGRESS, ann.user, title="Count the sheep")
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        buttons = ann.get(path).one(f"#task-{task.id}").select("button:not(.over)")
        assert [button.text.strip() for button in buttons] == ["Pause Count the sheep", "Cancel Count the sheep"]


def test_an_htmx_button_asks_the_page_to_look_again_which_then_says_what_happened(ann):
    for action, state in (("cancellation", State.IN_PROGRESS), ("pause", State.PENDING), ("retry", State.FAILED)):
        answer = ann.submit(f"/tasks/{make_task(state, ann.user).id}/{action}", headers=HTMX)
        assert answer.status_code == 200
        assert answer.headers["HX-Trigger"] == "live"
        assert answer.one("hx-partial[hx-target='#flashes']").text == ""
        assert "<html" not in answer.text


@pytest.mark.parametrize(("action", "state"), [("cancellation", State.SUCCEEDED), ("pause", State.SUCCEEDED)])
def test_a_stale_htmx_button_is_told_the_truth_where_it_was_pressed(ann, action, state):
    task = make_task(state, ann.user, title="Count <down>")
    answer = ann.submit(f"/tasks/{task.id}/{action}", headers=HTMX)
    assert "Nothing changed: “Count <down>”" in answer.one("hx-partial[hx-target='#flashes']").text
    assert answer.headers["HX-Trigger"] == "live"


# Somebody else's


@pytest.mark.parametrize("state", State)
def test_somebody_elses_task_does_not_exist(ann, bob, state):
    task = make_task(state, bob.user)
    artifact = make_artifact(task)
    before = Task.select().dicts().get()
    for path in (f"/tasks/{task.id}", f"/tasks/{task.id}/_panel", f"/artifacts/{artifact.id}"):
        assert ann.get(path).status_code == 404
    for action in ACTIONS:
        assert ann.submit(f"/tasks/{task.id}/{action}").status_code == 404
    assert Task.select().dicts().get() == before
    for path in ("/", "/tasks", "/tasks/_list", "/live"):
        assert str(task.id) not in ann.get(path).text
    assert bob.get(f"/artifacts/{artifact.id}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/tasks/7", "/tasks/x", "/tasks/00000000-0000-4000-8000-000000000000", "/artifacts/7"]
)
def test_an_unknown_task_is_not_found(ann, path):
    assert ann.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/tasks", "/tasks/new", "/tasks/new/countdown", "/tasks/_list"])
def test_tasks_belong_to_somebody(visitor, path):
    assert visitor.get(path).location.startswith("/login?next=")
