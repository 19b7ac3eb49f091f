"""Judge once a minute what is wrong with the site, and mail those who look after it. A sweep hook and no task: an alert
that says that tasks wait may not wait with them."""

from datetime import datetime

from flask import current_app

from tasks.engine import sweep_hook
from webapp import mail
from webapp.lib.times import utcnow
from webapp.mail import site_alert_mails
from webapp.mail.mail_thread import MailThread
from webapp.models import SiteAlert, site_health

sender = MailThread(site_alert_mails.send_due, "Site alerts could not be mailed")


class _Judged:
    minute: datetime | None = None


@sweep_hook
def watch_site(_: int) -> None:
    """Judge this minute, unless this process has; begin to mail what is due, by one query by index.

    Two that do this at once do no harm: see `SiteAlert.judge` and `SiteAlert.claim_due`.
    """
    now, sends_mail = utcnow(), mail.is_configured()
    minute = now.replace(second=0, microsecond=0)
    if minute != _Judged.minute:
        site_health.look(sends_mail, now)
        _Judged.minute = minute
    if sends_mail and SiteAlert.is_mail_due():
        sender.begin(current_app._get_current_object())  # type: ignore[attr-defined]
