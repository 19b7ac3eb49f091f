"""Whoever steers or watches the site is killed in the middle: the sweeper of a real worker, and the web at a press."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.guarantees.sites import Workshop, assert_stamped_once, is_under_way, kinds, state_of
from tests.guarantees.worker import stamp
from tests.processes import Process, until
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, KindControl, SiteAlert, State, TaskMinute, TaskTotal, User
from webapp.models.audit import Audited
from webapp.models.site_alert_rules import Rule
from webapp.models.statistics import ALL_KINDS

PRESSES = """
import sys
from tests.guarantees.dies_at_desk import press
press(*sys.argv[1:])
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def own_site(request, new_site):
    """A site of which nothing has been counted yet."""
    site = new_site(request.param)
    yield site
    site.close()


@pytest.fixture
def site(own_site) -> Workshop:
    """The same, with this process being part of it."""
    with own_site.entered():
        yield own_site
        own_site.rest()
        KindControl.delete().execute()


def dying_worker(site: Workshop, place: str) -> Process:
    """A worker that is killed there."""
    dies = site.folder / "dies"
    dies.write_text(place)
    site.env["DIES"] = str(dies)
    return site.start("worker", [sys.executable, "-m", "tests.guarantees.dies_sweeping"])


def killed(process: Process) -> None:
    """Wait until its sweeper is, in place of which the worker starts another."""
    until(lambda: "Scheduler died" in process.output(), 60)


def test_what_ended_is_counted_once_though_the_sweeper_is_killed_in_its_rollup(site):
    ended = utcnow() - timedelta(minutes=30)
    for number in range(6):
        at = ended + timedelta(minutes=number)
        fields = {"created_at": at, "started_at": at, "finished_at": at}
        make_task(State.FAILED if number % 2 else State.SUCCEEDED, **fields)

    killed(dying_worker(site, "rollup"))
    until(lambda: sum(row.count for row in TaskTotal.select()) >= 6)
    assert sum(row.count for row in TaskTotal.select()) == 6
    for kind in ("countdown", ALL_KINDS):
        assert [row.count for row in TaskMinute.select().where(TaskMinute.kind == kind)] == [1] * 6


def test_all_that_ran_is_paused_though_the_sweeper_is_killed_in_the_middle_of_that(site):
    process = dying_worker(site, "stop")
    tasks = [stamp.launch(make_user(), steps=60) for _ in range(2)]
    until(lambda: all(is_under_way(task) for task in tasks))
    KindControl.pause("stamp", utcnow() + timedelta(minutes=5), "Printers are full.", stop_running=True)
    killed(process)
    until(lambda: {state_of(task) for task in tasks} == {State.PAUSED})
    assert [kinds(task).count("paused") for task in tasks] == [1, 1]
    KindControl.resume("stamp")
    for task in tasks:
        task.reload().resume()
    assert_stamped_once(*tasks)


def test_an_alert_that_fired_is_mailed_once_though_its_leader_is_killed_before(site):
    staff = make_staff()
    User.update(email="ada@example.com", email_confirmed_at=utcnow()).where(User.id == staff.id).execute()
    site.start_mailbox()
    now = utcnow()
    alert = {"key": "mail", "rule": Rule.OLDEST_WAIT, "subject": "stamp", "minute": now, "since": now, "bad": 2}
    SiteAlert.insert(alert | {"fired_at": now, "due_at": now, "value": 400, "allowed": 300}).execute()
    killed(dying_worker(site, "mail"))
    mails = Path(site.env["DATA_DIR"]) / "mail"
    until(lambda: SiteAlert.get().due_at is None and [*mails.glob("*.eml")])
    site.stop("worker")
    assert len([*mails.glob("*.eml")]) == 1


@pytest.mark.parametrize(("place", "stands"), [("effect", False), ("entry", False), ("answer", True)])
def test_a_press_whose_web_is_killed_stands_with_its_entry_in_the_audit_or_not_at_all(site, place, stands):
    staff, before = make_staff(), AuditEntry.select().count()
    done = subprocess.run([sys.executable, "-c", PRESSES, str(staff.id), place], env={**os.environ, **site.env})
    assert done.returncode == -signal.SIGKILL
    assert bool(KindControl.of("countdown")) == stands
    entries = list(AuditEntry.select().order_by(AuditEntry.id.desc()).limit(AuditEntry.select().count() - before))
    assert [(entry.action, entry.outcome) for entry in entries] == [(Audited.PAUSE_KIND, "done")] * stands
