"""Quiet tasks: the site's own work for a person, of which they see and hear nothing, and which nothing is left of."""

from datetime import timedelta

import pytest

from tasks.engine import Retries, TemporaryError
from tasks.engine.config import config
from tasks.engine.models.waiting_users import notify_waiting_users
from tasks.engine.retention import purge
from tasks.mail_task_outcome import line_up_outcomes
from tests.browsing import browse
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Notification, State, Task, TaskEvent, User

EACH_OUTCOME = {"succeeded": None, "failed": ValueError("no"), "retrying": TemporaryError("later")}


@pytest.fixture
def app(mailserver, each_database):
    """The app on each database, and a mail server that it sends by."""
    return each_database


@pytest.fixture
def quietly(declare, run_waiting):
    """A function that lets a quiet task end as said, for somebody who wants to hear of all by mail; returns it."""

    def quietly(outcome: str, user: User) -> Task:
        @declare(title="Tidy up", internal=True, retries=Retries(1))
        def tidy(task):
            for _ in task.each(range(3), every_step=True):
                task.log("One more")
            if EACH_OUTCOME[outcome]:
                raise EACH_OUTCOME[outcome]

        task = tidy.launch(user)
        run_waiting()
        return task.reload()

    return quietly


@pytest.mark.parametrize("outcome", EACH_OUTCOME)
def test_an_internal_task_is_hidden_from_its_owner(app, quietly, mailserver, run_waiting, outcome):
    user = make_user("ann", email="ann@example.com", mail_after=0, hearing={"succeeded": "mail", "failed": "mail"})
    ann = browse(app, user)
    before = User.get_by_id(user.id).changes
    task = quietly(outcome, user)
    line_up_outcomes(200)
    run_waiting()
    assert task.state == outcome
    assert User.get_by_id(user.id).changes == before, "no open page asks for anything"
    assert not Notification.select().exists()
    assert mailserver.mails == []
    for page in ("/", "/tasks", "/live", "/notifications"):
        assert "Tidy up" not in ann.get(page).words
    assert ann.get(f"/tasks/{task.id}").status_code == 404
    assert ann.submit(f"/tasks/{task.id}/cancellation").status_code == 404
    assert ann.get("/tasks/new/tidy").status_code == 404


def test_workers_treat_an_internal_task_as_any_other(app, quietly):
    task = quietly("succeeded", make_user())
    assert (task.done, task.total, task.attempts) == (3, 3, 1)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_an_internal_task_is_deleted_soon_after_its_end_unnoticed(app, state):
    user = make_user()
    make_task(state, user, finished_at=utcnow() - 2 * config().keep_internal)
    quiet = make_task(state, user, hidden=True, finished_at=utcnow() - config().keep_internal - timedelta(seconds=1))
    recent = make_task(state, user, hidden=True)
    before = User.get_by_id(user.id).changes
    assert (purge(), purge()) == (1, 0)
    assert Task.get_or_none(Task.id == quiet.id) is None
    assert Task.get_by_id(recent.id)
    assert not TaskEvent.select().where(TaskEvent.task == quiet.id).exists()
    assert User.get_by_id(user.id).changes == before


def test_an_active_internal_task_is_never_deleted(app):
    make_task(State.PENDING, hidden=True, created_at=utcnow() - timedelta(days=99))
    assert purge() == 0


@pytest.mark.parametrize("state", [State.PENDING, State.RETRYING])
def test_pages_do_not_poll_for_an_internal_task(app, state):
    make_task(state, owner := make_user(), hidden=True)
    before = User.get_by_id(owner.id).changes
    notify_waiting_users(timedelta(hours=1), moved=True)
    assert User.get_by_id(owner.id).changes == before
