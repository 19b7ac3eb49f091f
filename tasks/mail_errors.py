"""Mail the admins about errors. A sweep hook and no task: nobody owns it, and no worker process waits for its mails."""

from flask import current_app

from tasks.engine import sweep_hook
from webapp import mail
from webapp.mail import error_mails
from webapp.mail.mail_thread import MailThread

sender = MailThread(error_mails.send_due, "Errors could not be mailed")


@sweep_hook
def mail_errors(_: int) -> None:
    """Begin to mail what is due. Without ADMINS nothing is asked; otherwise one query by index."""
    settings = current_app.config["SETTINGS"]
    if settings.admins and not settings.sentry_dsn and mail.is_configured() and error_mails.are_due():
        sender.begin(current_app._get_current_object())  # type: ignore[attr-defined]
