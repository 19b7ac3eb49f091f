"""Mail: what is sent, to whom, and how it gets to the mail server. What the rest of the code may rely on is named here.

    if mail.is_configured():
        content = mail.OutgoingMail("Hello", *mail.render("hello", user=user))
        with mail.SmtpSession() as session:
            session.send(content, user.email, message_id)

Flask-Mail has the configuration (`MAIL_…` in `app.config`), `MAIL_SUPPRESS_SEND`, and the signal `email_dispatched`
with its `record_messages`. Building and sending are ours, by the standard library's `email` and `smtplib`, since
Flask-Mail's own connection waits for ever, believes any certificate and asks the name service for each message, and its
messages have lines of any length in 8bit and encode each file anew for everybody. So nothing here calls `Mail.send` or
`Mail.connect`, and nothing else should.

What people type for recipients is read by `webapp.mail.recipients` and `.address_files`; mails to many are made by
`.mailings` of `.templates`.
"""

from webapp.mail.budget import BudgetUsedUp
from webapp.mail.extension import init_app, is_configured
from webapp.mail.failures import MailError
from webapp.mail.mime import Attachment
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.rendering import render
from webapp.mail.sending import send
from webapp.mail.smtp import SmtpSession

__all__ = [
    "Attachment",
    "BudgetUsedUp",
    "MailError",
    "OutgoingMail",
    "SmtpSession",
    "init_app",
    "is_configured",
    "render",
    "send",
]
