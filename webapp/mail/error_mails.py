"""Mails to the admins about errors: at most one an hour about each kind, and so many an hour about all of them."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from flask import current_app

from webapp.lib.i18n import ngettext
from webapp.lib.outage import Outage
from webapp.mail.failures import MailError
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.rendering import render
from webapp.mail.smtp import SmtpSession
from webapp.mail.to_each import mail_each
from webapp.models import ErrorReport, RateCount

log = logging.getLogger(__name__)

MOST = 20  # mails about errors, in an hour; then one that says that there are more
HOUR = 3600.0  # seconds
COUNTED_AS = "mails about errors"
LATER = timedelta(minutes=5)  # when a mail that no admin got is tried again
WITHIN = 60.0  # seconds, after which no other mail is begun

_trouble = Outage(log, "Errors cannot be mailed to ADMINS", "Errors are mailed to ADMINS again")


def are_due() -> bool:
    """Whether the admins are to be told of an error now. One query by index where there is none, and else two."""
    return ErrorReport.next_due() is not None and not _is_enough()


def send_due(admins: Sequence[str]) -> bool:
    """Mail the admins what they are to be told, for WITHIN and one mail at most; False if the mail server is away.

    Needs an app context. Nothing is claimed before the server listens. Of an outage the log says once a minute.
    """
    end = time.monotonic() + WITHIN
    try:
        with SmtpSession(is_reserved=True) as session:
            while time.monotonic() < end and not _is_enough() and (report := ErrorReport.next_due()):
                session.make_ready()
                number = RateCount.add(COUNTED_AS, HOUR)
                if number == MOST + 1:
                    _mail_all(session, admins, _more(), f"errors-{time.time_ns()}")
                elif number <= MOST and report.claim():
                    _tell(session, admins, report)
    except MailError as error:
        _trouble.failed(error)
        return False
    _trouble.is_over()
    return True


def _is_enough() -> bool:
    counted = RateCount.find(COUNTED_AS)
    return counted is not None and counted.number > MOST


def _tell(session: SmtpSession, admins: Sequence[str], report: ErrorReport) -> None:
    try:
        _mail_all(session, admins, _about(report), f"error-{report.kind}-{time.time_ns()}")
    except MailError as error:
        if error.may_retry:
            report.put_off(LATER)
        raise


def _mail_all(session: SmtpSession, admins: Sequence[str], content: OutgoingMail, message_id: str) -> None:
    """Mail each admin. Raises MailError if none of them got it."""
    if failure := mail_each(session, admins, content, message_id):
        _trouble.failed(failure)


def _about(report: ErrorReport) -> OutgoingMail:
    often = ngettext("once", "%(num)s times", report.news)
    return OutgoingMail(f"{_app_name()}: {report.summary}", *render("error", report=report, often=often))


def _more() -> OutgoingMail:
    return OutgoingMail(f"{_app_name()}: more errors are in the log", *render("more_errors", most=MOST))


def _app_name() -> str:
    return str(current_app.config["SETTINGS"].app_name)
