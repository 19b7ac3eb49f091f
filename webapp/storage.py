"""Storage: points the database and the queue of this process at what the settings name."""

from tasks.queue import huey
from webapp import db
from webapp.models import audit, idle_guests, quotas, site_health
from webapp.settings import Settings


def use_storage(settings: Settings, patient: bool = True) -> None:
    """Use the database and the queue of these settings; nothing is opened yet. `patient` is as in `db.configure`."""
    use_database(settings, patient)
    huey.configure(settings.secret_keys, settings.queue_file, settings.redis_url)


def use_database(settings: Settings, patient: bool = True) -> None:
    """Use the database of these settings, their quotas and limits of alerts, and for how long they keep guests and
    the audit. What a run
    holds in the database is released when its lease ends."""
    db.configure(settings.database_url, idle_timeout=settings.task_lease, patient=patient)
    quotas.configure(settings.quotas)
    idle_guests.configure(settings.guest_days)
    audit.configure(settings.audit_days)
    site_health.configure(settings.alerts)
