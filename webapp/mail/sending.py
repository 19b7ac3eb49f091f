"""Sends one mail of the site's own and waits for it. What goes to many, or may wait, is the business of tasks."""

from collections.abc import Sequence
from typing import Any

from webapp.mail.extension import is_configured
from webapp.mail.mime import Attachment
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.rendering import render
from webapp.mail.smtp import SmtpSession


def send(
    recipient: str,
    subject: str,
    template: str,
    *,
    message_id: str,
    attachments: Sequence[Attachment] = (),
    **context: Any,
) -> bool:
    """Send one mail of the site's own, made from `email/<template>.txt` and `.html`, and wait until the server has it:
    for `MAIL_TIMEOUT` seconds at the most.

    Needs an app context. `message_id` names the mail for good: sending it again with the same one lets a receiver
    know it for the same. Returns False, having sent nothing, where no mail server is set. Raises MailError otherwise.
    """
    if not is_configured():
        return False
    content = OutgoingMail(subject, *render(template, **context), attachments=attachments)
    with SmtpSession() as session:
        session.send(content, recipient, message_id)
    return True
