"""What tests of mail arrange with: functions that send one, to a real SMTP server."""

import pytest
from jinja2 import DictLoader

from tests.mailserver import MailServer
from webapp import mail
from webapp.mail import OutgoingMail, SmtpSession


@pytest.fixture
def send(make_app):
    """A function that sends a small mail; keywords in capitals change the site's mail settings."""

    def send(server: MailServer | None = None, recipient="ann@example.com", subject="Hello", **given):
        settings = {name.lower(): given.pop(name) for name in list(given) if name.isupper()}
        if server:
            settings = {"mail_server": "127.0.0.1", "mail_port": server.port} | settings
        timeout = settings.pop("mail_timeout", None)
        app = make_app(**settings)
        if timeout:
            app.config["MAIL_TIMEOUT"] = timeout
        templates = {"email/hello.txt": "Hello {{ name }}", "email/hello.html": "<p>Hello {{ name }}</p>"}
        app.jinja_env.loader = DictLoader(templates)
        with app.app_context():
            return mail.send(recipient, subject, "hello", message_id="task-1", name="<Ann>", **given)

    return send


@pytest.fixture
def deliver(app, mailserver):
    """A function that sends a mail to one person by a session of its own; returns what arrived."""

    def deliver(content: OutgoingMail, recipient: str = "ann@example.com"):
        with app.app_context(), SmtpSession() as session:
            session.send(content, recipient, "mail-1")
        return mailserver.mails[-1]

    return deliver
