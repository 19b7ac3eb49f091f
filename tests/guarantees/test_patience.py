"""What takes longer: a worker killed under the default settings, one killed again and again, and a mail server down."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from tasks.engine.models.phrases import DIED_REPEATEDLY
from tasks.engine.models.sweeping import MOST_RESCUES
from tasks.export_posts import export_posts
from tests.guarantees.mail import assert_posts_are_ready, mail_server
from tests.guarantees.sites import (
    Workshop,
    assert_stamped_once,
    is_done,
    is_under_way,
    kinds,
    process_of,
    processes_of,
    state_of,
)
from tests.guarantees.worker import die, stamp
from tests.processes import until
from webapp.dev.factories import make_posts, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task, User

AT_MOST = 30  # seconds


@dataclass(frozen=True)
class Killed:
    """A task whose process has been killed at a time, and its site."""

    site: Workshop
    task: Task
    at: datetime


@pytest.fixture(scope="module")
def killed(new_site) -> Killed:
    """On a site with the lease and the sweep that are the defaults, a process has just been killed."""
    site = new_site("sqlite")
    del site.env["TASK_LEASE_SECONDS"], site.env["TASK_SWEEP_SECONDS"]
    with site.entered():
        site.worker()
        task = stamp.launch(User.register_guest(), steps=100)
        until(lambda: is_under_way(task))
        process_of(task).kill()
    return Killed(site, task, utcnow())


def test_a_task_that_kills_its_worker_each_time_fails_in_words_and_can_be_retried(killed, new_site):
    """This and the next test run while the last one's task waits."""
    site = new_site("sqlite", TASK_LEASE_SECONDS="1")
    with site.entered():
        site.worker()
        task = die.launch(User.register_guest())
        until(lambda: is_done(task))
        now = Task.get_by_id(task.id)
        assert (now.state, now.error, now.rescues) == (State.FAILED, str(DIED_REPEATEDLY()), MOST_RESCUES)
        assert kinds(task).count("started") == MOST_RESCUES + 1
        site.stop("worker")
        now.retry()
        assert (now.reload().state, now.rescues, now.error) == (State.PENDING, 0, "")


def test_a_task_that_gets_further_survives_any_number_of_deaths(killed, new_site):
    site = new_site("sqlite", TASK_LEASE_SECONDS="1")
    with site.entered():
        site.worker()
        task = stamp.launch(User.register_guest(), steps=40)
        for crashes in range(MOST_RESCUES + 1):
            before = until(lambda crashes=crashes: len(processes_of(task)) > crashes and Task.get_by_id(task.id))
            until(lambda before=before: Task.get_by_id(task.id).done > before.done)
            process_of(task).kill()
        assert_stamped_once(task)
        assert Task.get_by_id(task.id).rescues == MOST_RESCUES + 1


def test_an_export_is_mailed_once_the_mail_server_is_back(killed, new_site):
    site = new_site("sqlite")
    with site.entered():
        site.worker()
        ann = make_user("ann", email="ann@example.com")
        make_posts(ann, 30)
        task = export_posts.launch(ann)
        until(lambda: state_of(task) == State.RETRYING)
        assert Task.get_by_id(task.id).error == (
            "The file is ready, but we couldn’t email it: the mail server could not be reached."
        )
        assert_posts_are_ready(task)
        with mail_server(site) as server:
            until(lambda: is_done(task))
        assert state_of(task) == State.SUCCEEDED
        assert [mail["To"] for mail in server.mails] == ["ann@example.com"]
        assert_posts_are_ready(task)


def test_a_task_whose_process_is_killed_runs_again_within_thirty_seconds_by_default(killed):
    with killed.site.entered():
        assert_stamped_once(killed.task, patience=AT_MOST + 10)
        assert kinds(killed.task) == ["launched", "started", "pending", "started", "succeeded"]
        again = [event.at for event in killed.task.timeline() if event.kind == "started"][1]
    waited = (again - killed.at).total_seconds()
    print(f"it ran again after {waited:.1f} s")
    assert waited < AT_MOST
