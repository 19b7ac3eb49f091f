"""One mail to a few people who look after the site, each by a mail of their own."""

from collections.abc import Sequence

from webapp.mail.failures import MailError
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.smtp import SmtpSession


def mail_each(
    session: SmtpSession, addresses: Sequence[str], content: OutgoingMail, message_id: str
) -> MailError | None:
    """Mail each address; returns the last failure where only some got it. Raises MailError if nobody did."""
    failure, sent = None, 0
    for address in addresses:
        try:
            session.send(content, address, message_id)
            sent += 1
        except MailError as error:
            failure = error
            if error.unheard or error.connection_lost or error.for_everybody:
                break
    if failure and not sent:
        raise failure
    return failure
