"""The watch of web processes: that no worker runs is told even though no worker runs."""

from datetime import timedelta

import pytest

from tasks.engine.leadership import ROLE
from webapp.lib.times import utcnow
from webapp.mail import site_alert_mails
from webapp.mail.mail_thread import MailThread
from webapp.models import Leader, SiteAlert, site_health
from webapp.web import site_watch

ADMIN = "admin@example.com"


class WatchedThread(MailThread):
    """Its threads, to wait for."""

    begun = ()

    def begin(self, app):
        self.begun = (*self.begun, thread := super().begin(app))
        return thread


@pytest.fixture
def sender(monkeypatch):
    """The thread that mails."""
    thread = WatchedThread(site_alert_mails.send_due, "")
    monkeypatch.setattr(site_watch, "_sender", thread)
    return thread


def test_that_no_worker_runs_is_mailed_by_a_web_process(mailserver, make_app, sender):
    app = make_app(admins=(ADMIN,))
    site_health.look_from_elsewhere(utcnow() - timedelta(minutes=1))
    site_watch.look(app)
    for thread in sender.begun:
        thread.join(timeout=20)
    assert mailserver.recipients == [[ADMIN]]
    text = mailserver.mails[0].get_body(("plain",)).get_content()
    assert "No sweeper works" in text
    assert "No worker takes tasks" in text


def test_where_a_sweeper_works_a_web_process_does_nothing(mailserver, make_app, sender, queries):
    app = make_app(admins=(ADMIN,))
    Leader.create(role=ROLE, token="t", until=utcnow())
    with queries() as asked:
        site_watch.look(app)
    assert (asked.count, sender.begun, SiteAlert.select().count()) == (1, (), 0)
