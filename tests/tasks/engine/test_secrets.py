"""A secret is read by the task function alone, encrypted in the row until the task ends, and then nowhere."""

import copy
import json
import logging
import pickle
from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine import Run, Secret, TaskError, TemporaryError
from tasks.engine.executor import execute_next
from tasks.engine.models.bulk import press
from tasks.engine.models.sealed import lost_secrets_in
from tasks.engine.parameters.secret import CannotUnseal, seal, unseal
from tasks.engine.resealing import reseal_secrets
from webapp import db
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import SecretsGone, State, Task
from webapp.web.presenters.bulk_result import bulk_result_message

TEXT = "s3cret-of-ann"


@pytest.fixture
def app(each_database):
    """The app, on each database."""
    return each_database


@pytest.fixture
def seen():
    """What the function was given."""
    return []


@pytest.fixture
def fetch(declare, seen):
    """A task function with a secret, in the catalogue; `step` says what it then does."""

    @declare(title=lambda key, step: f"Fetch with {key}", retries=1)
    def fetch(task: Run, key: Secret, step: str = "end"):
        """Fetch something."""
        seen.append(key)
        task.log(f"with {key} and {key!r}")
        logging.getLogger("tasks").warning("with %s and %r", key, [key])
        if step == "fail":
            raise TaskError(f"{key} is not valid.")
        if step == "again" and len(seen) == 1:
            raise TemporaryError("Busy.")

    return fetch


def everything_stored() -> str:
    """Each row of each table, as text."""
    tables = [name for name in db.database.get_tables() if not name.endswith(("_terms", "_search"))]
    return "".join(str(db.database.execute_sql(f'SELECT * FROM "{name}"').fetchall()) for name in tables)


def run_all() -> None:
    while execute_next():
        pass


def test_a_secret_prints_as_a_mask_and_cannot_be_copied_out(app):
    key = Secret(TEXT)
    for text in (str(key), repr(key), f"{key:>20}", f"{key!r}", "%s" % key, str([key]), str({"key": key})):  # noqa: UP031
        assert TEXT not in text
        assert "••••••" in text
    assert (key.reveal(), bool(key), bool(Secret(""))) == (TEXT, True, False)
    assert key == Secret(TEXT) != Secret("other")
    assert key != TEXT
    for copying in (json.dumps, pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(key)


def test_a_sealed_secret_opens_for_its_task_alone_and_by_its_key(app, configure):
    task_id = uuid4()
    first, second = (seal(Secret(TEXT), task_id) for _ in range(2))
    assert first != second
    assert unseal(first, task_id) == unseal(second, task_id) == Secret(TEXT)
    changed = f"{first[:-6]}{'AAAAAA' if first[-6:] != 'AAAAAA' else 'BBBBBB'}"
    for text, owner in ((first, uuid4()), (changed, task_id), ("", task_id), ("1.x", task_id), ("2." + first, task_id)):
        with pytest.raises(CannotUnseal):
            unseal(text, owner)
    configure(secret_key="")
    with pytest.raises(RuntimeError, match="configure"):
        seal(Secret(TEXT), task_id)


def test_a_secret_is_encrypted_until_the_task_ends_and_then_gone(fetch, seen, caplog):
    task = fetch.launch(make_user(), key=TEXT)
    assert task.arguments["key"].keys() == {"sealed"}
    assert task.title == "Fetch with ••••••"
    assert TEXT not in everything_stored()
    run_all()
    assert [key.reveal() for key in seen] == [TEXT]
    assert task.reload().state == State.SUCCEEDED
    assert task.arguments == {"key": {"sealed": None}, "step": "end"}
    assert Task.get(lost_secrets_in(Task.arguments)) == task
    assert TEXT not in everything_stored() + caplog.text
    assert "with •••••• and" in caplog.text


def _cancel_at_once(task: Task) -> None:
    task.cancel()


def _cancel_while_it_runs(task: Task) -> None:
    run = Task.claim(timedelta(seconds=15))
    task.cancel()
    run.acknowledge_stop()


def _lose_runs(task: Task) -> None:
    """Its worker dies over and over."""
    for _ in range(20):
        if Task.claim(timedelta(seconds=15)):
            Task.update(lease_until=utcnow() - timedelta(seconds=1)).execute()
            [lost] = Task.lost(10)
            lost.rescue()


ENDINGS = {
    "succeeded": ("end", lambda _: run_all(), State.SUCCEEDED),
    "failed": ("fail", lambda _: run_all(), State.FAILED),
    "canceled while it waited": ("end", _cancel_at_once, State.CANCELED),
    "canceled while it ran": ("end", _cancel_while_it_runs, State.CANCELED),
    "given up": ("end", _lose_runs, State.FAILED),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_however_a_task_ends_its_secrets_go_with_it(fetch, how):
    step, end, state = ENDINGS[how]
    task = fetch.launch(make_user(), key=TEXT, step=step)
    sealed = task.arguments["key"]["sealed"]
    end(task)
    assert task.reload().state == state
    assert task.arguments["key"] == {"sealed": None}
    assert sealed not in everything_stored()


def test_a_row_that_was_read_in_part_loses_its_secrets_too(fetch):
    task = fetch.launch(make_user(), key=TEXT)
    Task.select(Task.id, Task.user, Task.state, Task.hidden, Task.composition, Task.parent).get().cancel()
    assert task.reload().arguments["key"] == {"sealed": None}


def test_a_task_that_is_scheduled_and_canceled_has_no_secret(fetch):
    task = fetch.launch(make_user(), key=TEXT, run_at=utcnow() + timedelta(days=1))
    task.cancel()
    assert task.reload().arguments["key"] == {"sealed": None}


def test_while_it_is_retried_by_itself_a_task_keeps_its_secrets(fetch, seen):
    task = fetch.launch(make_user(), key=TEXT, step="again")
    run_all()
    assert task.reload().state == State.RETRYING
    task.retry()
    run_all()
    assert (task.reload().state, seen) == (State.SUCCEEDED, [Secret(TEXT)] * 2)


def test_a_task_whose_row_has_the_secret_of_another_fails_in_words(fetch, seen):
    first, second = (fetch.launch(make_user(), key=TEXT) for _ in range(2))
    Task.update(arguments=first.arguments).where(Task.id == second.id).execute()
    run_all()
    assert "can’t be read" in second.reload().error
    assert len(seen) == 1


def test_after_another_secret_key_a_task_fails_in_words(fetch, seen, configure):
    task = fetch.launch(make_user(), key=TEXT)
    configure(secret_key="another key")
    run_all()
    words = (
        "The secret of this task can’t be read, because the site’s secret key has changed. Run it again from its form."
    )
    assert (task.reload().state, task.error, seen) == (State.FAILED, words, [])


def test_a_key_of_before_still_opens_what_it_sealed_until_it_is_sealed_anew(fetch, seen, configure):
    waiting, ended = (fetch.launch(make_user(), key=TEXT) for _ in range(2))
    Task.update(finished_at=utcnow(), state=State.CANCELED).where(Task.id == ended.id).execute()
    configure(secret_key="another key", secret_key_fallbacks=("secret of a test",))
    assert unseal(waiting.arguments["key"]["sealed"], waiting.id).reveal() == TEXT

    assert list(reseal_secrets()) == [True], "and nothing of what has ended"
    assert list(reseal_secrets()) == []
    configure(secret_key_fallbacks=())
    run_all()

    assert [key.reveal() for key in seen] == [TEXT]
    assert ended.reload().arguments == ended.arguments


def test_resealing_leaves_what_no_key_opens_and_tells_of_it(fetch, configure):
    task = fetch.launch(make_user(), key=TEXT)
    configure(secret_key="another key", secret_key_fallbacks=("a third key",))
    assert list(reseal_secrets()) == [False]
    assert task.reload().arguments == task.arguments


def test_what_was_deleted_is_entered_again_in_the_form(ann, fetch, run_tasks):
    task = fetch.launch(ann.user, key=TEXT, step="fail")
    run_tasks()
    with pytest.raises(SecretsGone):
        task.reload().retry()
    page = ann.get(f"/tasks/{task.id}")
    assert not [button for button in page.page.select("button") if "Retry" in button.text]
    form = page.one(f'a[href="/tasks/new/fetch?like={task.id}"]')
    answer = ann.submit(f"/tasks/{task.id}/retry")  # of a page that is older than its end
    assert (answer.status_code, answer.location) == (303, form["href"])
    filled = ann.get(answer.location)
    assert "Enter it again" in filled.words
    assert (filled.one("#step")["value"], filled.one("#key").get("value", "")) == ("fail", "")
    assert task.reload().state == State.FAILED


def test_a_press_that_comes_after_its_success_does_not_ask_for_the_secret(ann, fetch, run_tasks):
    task = fetch.launch(ann.user, key=TEXT)
    run_tasks()
    answer = ann.submit(f"/tasks/{task.id}/retry")
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    assert "has already finished" in ann.get(answer.location).words


def test_a_task_without_secrets_is_retried_as_ever(ann, declare, run_tasks):
    @declare(title="Fail")
    def failing(task: Run, key: Secret | None = None):
        """Fail."""
        raise TaskError("No.")

    task = failing.launch(ann.user)
    run_tasks()
    task.reload().retry()
    assert task.reload().state == State.PENDING


def test_a_press_for_many_passes_over_those_whose_secrets_are_gone(fetch):
    user = make_user()
    for key, step in ((TEXT, "fail"), (TEXT, '{"sealed": null}')):
        fetch.launch(user, key=key, step=step)
    run_all()
    Task.update(state=State.FAILED).execute()
    never_sealed = Task.select().where(Task.arguments["step"] != "fail").get()
    Task.update(arguments={"step": '{"sealed": null}'}).where(Task.id == never_sealed.id).execute()
    result = press("retry", Task.of(user))
    assert (result.done, result.passed) == (1, {State.FAILED: 1})
    told = "Retried 1 task; 1 needs its secret again (open it and run it again)."
    assert bulk_result_message("retry", result) == told
    assert never_sealed.reload().state == State.PENDING, "words that look like it are none"
