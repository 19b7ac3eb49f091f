"""Notices: mail when a task that took long has ended, for who asked for it."""

import pytest

from webapp.factories import make_task, make_user
from webapp.models import State, Task

ASKED = {"email": "ann@example.com", "mail_after": 1}


def _end(task: Task, state: State) -> None:
    """A run of a minute and a half ends."""
    {"succeeded": task.succeed, "failed": lambda: task.fail("It broke."), "canceled": task.let_go}[state]()


def _running(worked: float = 90, canceling: bool = False, **user) -> Task:
    state = State.CANCELING if canceling else State.IN_PROGRESS
    task = make_task(state, make_user("ann", **user), title="Count to ten", worked=worked)
    Task.update(started_at=task.updated_at).where(Task.id == task.id).execute()
    task.started_at = task.updated_at
    return task


@pytest.mark.parametrize(("state", "words"), [("succeeded", "is finished"), ("failed", "has failed")])
def test_who_asked_is_mailed_how_a_long_task_ended(app, mailserver, state, words):
    task = _running(**ASKED)
    with app.app_context():
        _end(task, state)
    [mail] = mailserver.mails
    assert mail["To"] == "ann@example.com"
    assert mail["Subject"] == f"Count to ten {words}"
    text = mail.get_body(("plain",)).get_content()
    assert f"/tasks/{task.id}" in text
    assert ("It broke." in text) == (state == "failed")


@pytest.mark.parametrize(
    "how",
    [
        {"email": "ann@example.com"},
        {"mail_after": 1},
        ASKED | {"worked": 30},
        ASKED | {"canceling": True},
    ],
    ids=["did not ask", "has no address", "it was short", "canceled it"],
)
def test_nobody_else_is_mailed(app, mailserver, how):
    task = _running(**how)
    with app.app_context():
        _end(task, "canceled" if how.get("canceling") else "succeeded")
    assert mailserver.mails == []


def test_a_mail_that_cannot_be_sent_harms_nothing(make_app, caplog):
    app = make_app(mail_server="127.0.0.1", mail_port=9)
    task = _running(**ASKED)
    with app.app_context():
        task.succeed()
    assert task.reload().state == State.SUCCEEDED
    assert "could not be mailed" in caplog.text


def test_it_is_off_until_somebody_asks(ann):
    assert ann.user.mail_after is None
