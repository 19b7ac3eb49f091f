"""Site alerts at the desk: where a notification about them leads to."""

from flask import url_for

from webapp.models import Notification
from webapp.models.notification_kinds import SITE_ALERTS
from webapp.web.presenters.notifications import leads_to


@leads_to(SITE_ALERTS)
def _of_site_alerts(_: Notification) -> str:
    return url_for("desk.overview")
