"""Tells who listens to Flask-Mail's `email_dispatched`, as its `record_messages` does, of each mail that was sent."""

from flask import current_app
from flask_mail import Attachment as FlaskMailAttachment
from flask_mail import Message, email_dispatched

from webapp.mail.marked_text import LINK_MARK, filled
from webapp.mail.mime import Attachment
from webapp.mail.outgoing import AddressedMail, OutgoingMail


def announce(content: OutgoingMail, sent: AddressedMail) -> None:
    """Send the signal with a Message of Flask-Mail's that says the same as what was sent, or would have been sent but
    for `MAIL_SUPPRESS_SEND`. Needs an app context.

    Without a listener no message is made: Flask-Mail's asks the name service who we are, which may take longer than
    the mail.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if not email_dispatched.has_receivers_for(app):
        return
    message = Message(
        content.subject,
        recipients=[sent.recipient],
        body=filled(content.text, LINK_MARK, sent.link) if sent.link else content.text,
        html=filled(content.html, LINK_MARK, sent.link) if sent.link else content.html,
        sender=sent.sender,
        reply_to=content.reply_to,
        date=sent.sent_at,
        attachments=[
            *(_as_flask_mail_has_it(file) for file in content.attachments),
            *(_as_flask_mail_has_it(file, "inline", {"Content-ID": f"<{file.name}>"}) for file in content.inline),
        ],
        extra_headers=content.extra_headers(sent.link),
    )
    message.msgId = sent.message_id
    email_dispatched.send(app, message=message)


def _as_flask_mail_has_it(
    file: Attachment, disposition: str = "attachment", headers: dict[str, str] | None = None
) -> FlaskMailAttachment:
    return FlaskMailAttachment(file.name, file.content_type, file.data, disposition, headers)
