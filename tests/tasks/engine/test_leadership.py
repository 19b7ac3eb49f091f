"""Leadership: one sweeper at a time does the work, and another takes over when it does no more."""

from datetime import timedelta

import pytest

from tasks.engine.config import config
from tasks.engine.leadership import ROLE
from tasks.engine.sweeper import Sweeper
from tests.tasks.engine.sweeping import AGO, lost_task
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Leader, State, Task

pytestmark = pytest.mark.usefixtures("each_look_sweeps")


def test_only_the_leader_does_anything(app):
    one, other = Sweeper(), Sweeper()
    one.look()
    task = lost_task()
    other.look()
    assert task.reload().state == State.IN_PROGRESS
    one.look()
    assert task.reload().state == State.PENDING


@pytest.mark.parametrize("why", ["it resigned", "it died", "the clock was set back"])
def test_another_leads_when_the_leader_does_no_more(app, why):
    one, other = Sweeper(), Sweeper()
    one.look()
    if why == "it resigned":
        one.resign()
    else:
        until = utcnow() + (-AGO if why == "it died" else timedelta(hours=1))
        Leader.update(until=until).where(Leader.role == ROLE).execute()
    task = lost_task()
    other.look()
    assert task.reload().state == State.PENDING
    again = lost_task()
    one.look()
    assert again.reload().state == State.IN_PROGRESS, "there is one leader, and it is the other"


def test_a_sweeper_that_is_overtaken_while_it_looks_leaves_the_rest_to_the_other(app, monkeypatch, configure):
    due = [make_task(State.SCHEDULED, make_user(), run_at=utcnow() - AGO) for _ in range(3)]
    configure(renew_lead_every=0.0)
    wake = Task.enqueue

    def slowly(task: Task) -> bool:
        Leader.update(token="another", until=utcnow() + config().lead_for).execute()
        return wake(task)

    monkeypatch.setattr(Task, "enqueue", slowly)
    Sweeper().look()
    assert sum(task.reload().state == State.PENDING for task in due) == 1
