"""The alert that fires since exports fail."""

from datetime import datetime, timedelta

from webapp.models import Notification, SiteAlert, site_health
from webapp.models.notification_kinds import SITE_ALERT

LOOKED = 8  # minutes ago, for the first time


def watch(now: datetime) -> None:
    """Judge the last minutes, as the sweeper would have; those who look after the site are told of what fires."""
    for minutes in range(LOOKED, 0, -1):
        site_health.look(sends_mail=False, now=now - timedelta(minutes=minutes))
    for alert in SiteAlert.firing():
        told = Notification.update(told_at=alert.fired_at, updated_at=alert.fired_at)
        told.where(Notification.kind_name == SITE_ALERT.name).execute()
