"""Mails about site alerts: one for all that are due, to whoever looks after the site and has not chosen otherwise."""

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
from webapp.models import SiteAlert
from webapp.models.notification_kinds import SITE_ALERT
from webapp.models.site_alert_rules import CHAPTER
from webapp.models.staff import staff

log = logging.getLogger(__name__)

LATER = timedelta(minutes=5)  # when a mail that nobody got is tried again

_trouble = Outage(log, "Site alerts cannot be mailed", "Site alerts are mailed again")


def send_due(admins: Sequence[str]) -> bool:
    """Mail each who is to know of the alerts that are due; False if the mail server is away.

    Needs an app context. Nothing is claimed before the server listens. Of an outage the log says once a minute.
    """
    people = [user.email for user in staff() if user.wants_email_about(SITE_ALERT)]
    addresses = list({address.lower(): address for address in (*admins, *people)}.values())
    try:
        if addresses:
            with SmtpSession(is_reserved=True) as session:
                session.make_ready()
                _tell(session, addresses)
    except MailError as error:
        _trouble.failed(error)
        return False
    _trouble.is_over()
    return True


def _tell(session: SmtpSession, addresses: Sequence[str]) -> None:
    alerts = SiteAlert.claim_due()
    if not alerts:
        return
    try:
        failure = mail_each(session, addresses, _about(alerts), f"alerts-{time.time_ns()}")
    except MailError as error:
        if error.may_retry:
            SiteAlert.put_off(alerts, LATER)
        raise
    if failure:
        _trouble.failed(failure)


def _about(alerts: Sequence[SiteAlert]) -> OutgoingMail:
    app_name = current_app.config["SETTINGS"].app_name
    subject = ngettext("%(num)s alert", "%(num)s alerts", len(alerts))
    base_url = current_app.config["BASE_URL"]
    return OutgoingMail(
        f"{app_name}: {subject}", *render("site_alerts", alerts=alerts, base_url=base_url, chapter=CHAPTER)
    )
