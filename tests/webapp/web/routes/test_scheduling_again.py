"""What was canceled before its time is scheduled again by its form, and never sent or started without saying so."""

from datetime import timedelta

import pytest

from webapp.dev.factories import make_draft, make_mailing, make_mailing_file, make_task
from webapp.lib.times import utcnow
from webapp.models import Composition, Mailing, State, Task

LATER = utcnow().replace(microsecond=0, second=0) + timedelta(days=3)
EVERYWHERE = ("/", "/tasks")


@pytest.fixture
def app(each_database):
    """On both databases."""
    return each_database


@pytest.fixture
def countdown(ann) -> Task:
    """What Ann has scheduled for later and canceled."""
    task = make_task(State.SCHEDULED, ann.user, run_at=LATER)
    ann.submit(f"/tasks/{task.id}/cancellation")
    return task.reload()


@pytest.fixture
def mailing(ann) -> Mailing:
    """A mail of Ann's that was to go out later, and was canceled."""
    mailing = make_mailing(ann.user, body="Bring cake.", template="free")
    make_mailing_file(mailing)
    Mailing.update(send_at=LATER).execute()
    Task.update(run_at=LATER).where(Task.id == mailing.task_id).execute()
    ann.submit(f"/tasks/{mailing.task_id}/cancellation")
    return Mailing.get_by_id(mailing.id)


def _offers(browser, path: str, task_id) -> dict[str, str]:
    """What stands below a task's card, and where it leads."""
    found = browser.get(path).one(f"#task-{task_id} > .offers").select("[href], [formaction]")
    return {" ".join(offer.text.split()): offer.get("href") or offer["formaction"] for offer in found}


def test_a_task_that_was_canceled_before_its_time_is_scheduled_again_by_its_form(ann, countdown):
    assert (countdown.state, countdown.run_at) == (State.CANCELED, LATER)
    form = f"/tasks/new/countdown?like={countdown.id}"
    for path in (*EVERYWHERE, f"/tasks/{countdown.id}"):
        offers = _offers(ann, path, countdown.id)
        title = countdown.title
        assert offers == {f"Schedule again {title}": form, f"Start now {title}": f"/tasks/{countdown.id}/retry"}
    page = ann.get(form)
    assert page.one("#seconds")["value"] == "40"
    assert page.one("#run_at")["value"] == f"{LATER:%Y-%m-%dT%H:%M}"
    assert page.one("details.more").has_attr("open"), "the time is there to be seen, and changed"
    ann.submit("/tasks/new/countdown", seconds="40", run_at=page.one("#run_at")["value"])
    assert Task.get(Task.state == State.SCHEDULED).run_at == LATER


def test_a_time_that_has_passed_by_now_starts_nothing_at_once(ann, countdown):
    Task.update(run_at=utcnow() - timedelta(days=1)).execute()
    page = ann.get(f"/tasks/new/countdown?like={countdown.id}")
    answer = ann.submit("/tasks/new/countdown", seconds="40", run_at=page.one("#run_at")["value"])
    assert answer.status_code == 422
    assert "in the future" in answer.one("#run_at-error").text
    assert Task.select().count() == 1


def test_started_now_it_has_no_time_any_more(ann, countdown):
    ann.submit(f"/tasks/{countdown.id}/retry")
    assert (countdown.reload().state, countdown.run_at) == (State.PENDING, None)
    ann.submit(f"/tasks/{countdown.id}/cancellation")
    assert set(_offers(ann, "/", countdown.id)) == {f"Start now {countdown.title}"}


def test_a_task_canceled_between_attempts_is_offered_a_retry(ann):
    task = make_task(State.RETRYING, ann.user, started_at=utcnow())
    ann.submit(f"/tasks/{task.id}/cancellation")
    assert (task.reload().state, task.run_at) == (State.CANCELED, None)
    assert set(_offers(ann, "/", task.id)) == {f"Retry {task.title}"}


def test_a_task_without_a_form_is_started_at_once(ann):
    task = make_task(State.SCHEDULED, ann.user, name="", composition=Composition.GROUP, title="Several")
    ann.submit(f"/tasks/{task.id}/cancellation")
    assert set(_offers(ann, "/", task.id)) == {"Start now Several"}


@pytest.mark.parametrize(
    ("state", "begun", "words"),
    [
        (State.CANCELED, False, "Send now"),
        (State.CANCELED, True, "Send the rest"),
        (State.FAILED, True, "Retry"),
    ],
)
def test_a_mail_says_whom_another_press_reaches(ann, state, begun, words):
    mailing = make_mailing(ann.user, state=state)
    if not begun:
        Task.update(started_at=None).execute()
    for path in (*EVERYWHERE, f"/tasks/{mailing.task_id}"):
        assert set(_offers(ann, path, mailing.task_id)) == {f"{words} Email to 2 people: Hello"}


def test_a_scheduled_mail_says_that_it_is_sent_by_a_press(ann):
    task_id = make_mailing(ann.user).task_id
    for path in (*EVERYWHERE, f"/tasks/{task_id}"):
        assert ann.get(path).one(f"#task-{task_id}-pause").text.startswith("Send now")


def test_a_mail_that_was_canceled_before_its_time_is_scheduled_again_by_its_form(ann, mailing):
    for path in (*EVERYWHERE, f"/tasks/{mailing.task_id}"):
        offers = _offers(ann, path, mailing.task_id)
        assert list(offers) == ["Schedule again Email to 2 people: Hello", "Send now Email to 2 people: Hello"]
    answer = ann.submit(next(iter(offers.values())))
    assert (answer.status_code, answer.location) == (303, "/mail")
    draft = Mailing.draft_of(ann.user)
    assert (draft.subject, draft.body, draft.send_at) == ("Hello", "Bring cake.", LATER)
    assert ann.get("/mail").one("#send_at")["value"] == f"{LATER:%Y-%m-%dT%H:%M}"
    assert Task.get().state == State.CANCELED, "nothing is sent by that"
    assert ann.submit(next(iter(offers.values()))).status_code == 303, "a second press finds the first one's draft"
    assert Mailing.select().count() == 2


def test_another_draft_is_in_the_way_of_it_and_its_time_is_kept_while_that_is_asked_about(ann, mailing):
    make_draft(ann.user, subject="Something else")
    answer = ann.submit(f"/mail/{mailing.id}/copy?at=same+time")
    assert answer.status_code == 409
    replace = answer.one("button[name=replace]")
    assert ann.submit(replace["formaction"], replace="yes").status_code == 303
    assert Mailing.draft_of(ann.user).send_at == LATER


def test_a_mail_whose_time_has_passed_is_not_sent_at_once_by_its_form(ann, mailing):
    Mailing.update(send_at=utcnow() - timedelta(days=1)).execute()
    ann.submit(f"/mail/{mailing.id}/copy?at=same+time")
    form = ann.get("/mail")
    answer = ann.submit(
        "/mail", recipients="bea@example.com", subject="Hello", template="free", body="Bring cake.",
        send_at=form.one("#send_at")["value"], form_key=form.one("#form_key")["value"],
    )  # fmt: skip
    assert answer.status_code == 422
    assert Task.select().count() == 1
