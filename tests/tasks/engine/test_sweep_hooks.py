"""Sweep hooks: the leading sweeper calls each with each sweep, whatever the others do."""

from datetime import timedelta

import pytest

from tasks.engine import sweep_hook, sweeper
from tasks.engine.config import config
from tasks.engine.sweep_hooks import sweep_hooks
from tasks.engine.sweeper import Sweeper
from tests.processes import until
from tests.tasks.engine.sweeping import AGO, lost_task, wakeups
from webapp.dev.factories import make_message, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Message, State, Task

pytestmark = pytest.mark.usefixtures("each_look_sweeps")


@pytest.fixture
def own_hooks(monkeypatch):
    """Only the sweep hooks that a test declares, forgotten after it."""
    monkeypatch.setattr(sweeper, "sweep_hooks", own := [])
    known = list(sweep_hooks)
    yield lambda function: own.append(sweep_hook(function))
    sweep_hooks[:] = known


def test_the_leader_calls_each_sweep_hook_with_each_sweep(app, own_hooks, configure):
    seen = []
    own_hooks(seen.append)
    leader, other = Sweeper(), Sweeper()
    for one in (leader, other, leader):
        one.look()
    assert seen == [config().tasks_per_hook] * 2
    configure(sweep=timedelta(hours=1))
    leader.look()
    leader.look()
    assert len(seen) == 3


def test_a_sweep_hook_that_fails_stops_neither_the_others_nor_the_sweeper(app, own_hooks, caplog):
    def broken(_: int) -> None:
        raise ValueError("no")

    seen = []
    own_hooks(broken)
    own_hooks(seen.append)
    lost, old = lost_task(), make_task(State.SUCCEEDED, finished_at=utcnow() - config().keep_tasks - timedelta(days=1))
    one = Sweeper()
    one.look()
    assert lost.reload().state == State.PENDING
    until(lambda: one.look() or Task.get_or_none(Task.id == old.id) is None)
    assert seen
    assert "The sweep hook broken failed" in caplog.text


def test_mail_about_messages_is_started_by_a_sweep_hook(app):
    user = make_user(email="me@example.com", hearing={"message": "mail"})
    Message.update(mail_due_at=utcnow() - AGO).where(Message.id == make_message(recipient=user).id).execute()
    Sweeper().look()
    assert [(task.name, task.user, task.hidden) for task in Task] == [("mail_messages", user, True)]
    assert wakeups() == 1
