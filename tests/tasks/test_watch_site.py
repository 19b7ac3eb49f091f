"""Mails about site alerts: who gets them, once, and what becomes of one that cannot be sent."""

from datetime import timedelta

import pytest

from tasks import watch_site
from tests.processes import free_port
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.mail import site_alert_mails
from webapp.mail.mail_thread import MailThread
from webapp.models import SiteAlert, Worker, site_health
from webapp.models.permissions import Role
from webapp.models.site_alert_rules import Rule

ADMIN = "admin@example.com"


@pytest.fixture
def app(make_app, mailserver):
    """A site with an admin to be mailed."""
    return make_app(admins=(ADMIN,))


@pytest.fixture
def sender(monkeypatch):
    """The thread that mails, as it is in a new process."""
    thread = MailThread(site_alert_mails.send_due, "Site alerts could not be mailed")
    monkeypatch.setattr(watch_site, "sender", thread)
    monkeypatch.setattr(watch_site._Judged, "minute", None)
    return thread


def fire() -> None:
    """Let an alert fire: there is no worker."""
    Worker.delete().execute()
    for minutes in (3, 2):
        site_health.look(True, utcnow() - timedelta(minutes=minutes))
    assert [alert.rule for alert in SiteAlert.firing()] == [Rule.NO_WORKER]


def send(app, sender) -> None:
    """Send what is due, and wait for it."""
    sender.begin(app).join(timeout=20)


def test_staff_and_admins_are_mailed_once_unless_they_chose_otherwise(mailserver, app, sender):
    for name, hearing in {"ada": None, "ole": {"site_alert": "only"}, "ian": {"site_alert": "app"}}.items():
        make_staff(name=name, email=f"{name}@example.com", hearing=hearing)
    make_staff(Role.ADMIN, name="the-admin", email=ADMIN.upper())
    make_user("ann", email="ann@example.com")
    fire()
    send(app, sender)
    send(app, sender)
    got = sorted(address.lower() for [address] in mailserver.recipients)
    assert got == sorted(["ada@example.com", "ole@example.com", ADMIN])
    assert mailserver.faults == []
    mail = mailserver.mails[0]
    assert mail["Subject"] == "Errand: 1 alert"
    text = mail.get_body(("plain",)).get_content()
    for words in ("- No worker takes tasks.", "docs/troubleshooting.md, “Alerts”", "http://localhost/desk"):
        assert words in text


def test_where_the_mail_server_is_away_the_mail_comes_later(make_app, sender):
    app = make_app(admins=(ADMIN,), mail_server="127.0.0.1", mail_port=free_port())
    fire()
    send(app, sender)
    assert SiteAlert.is_mail_due(), "nothing was claimed before the server listened"
    assert sender.begin(app) is None, "it is asked again after a while"


def test_what_nobody_got_is_due_later(mailserver, app, sender):
    mailserver.answer_to_data = "451 4.3.0 Try again"
    fire()
    send(app, sender)
    [alert] = SiteAlert.firing()
    assert timedelta(minutes=4) < alert.due_at - utcnow() <= site_alert_mails.LATER


def test_the_sweep_judges_each_minute_once_and_sends(mailserver, app, sender, queries):
    fire()
    SiteAlert.update(minute=utcnow() - timedelta(minutes=1)).execute()
    with app.app_context():
        watch_site.watch_site(10)
        [alert] = SiteAlert.firing()
        assert alert.bad == 3
        with queries() as asked:
            watch_site.watch_site(10)
    assert asked.count <= 1
