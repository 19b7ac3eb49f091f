"""The settings of the site as the desk shows them: each by its variable, and of a secret only whether it is set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.lib.i18n import number
from webapp.lib.quota_variables import GUEST, QUOTAS, Quotas
from webapp.settings import Settings
from webapp.web.release import SECRETS

MEGABYTE = 1024 * 1024
_BY_NAME = (  # whose variable is called like the setting
    *("data_dir", "port", "base_url", "app_name", "web_concurrency", "worker_concurrency", "retention_days"),
    *("artifact_days", "guest_days", "audit_days", "allow_guests", "mail_server", "mail_port", "mail_use_tls"),
    *("mail_use_ssl", "mail_default_sender", "mail_daily_limit", "log_level", "log_format", "trusted_proxies"),
    "hsts_subdomains",
)
# What is shown, by its variable. A setting that stands neither here nor in SECRETS is not shown.
VARIABLES = {
    **{name: name.upper() for name in _BY_NAME},
    "mailbox": "DEV_MAILBOX",
    "task_lease": "TASK_LEASE_SECONDS",
    "task_sweep": "TASK_SWEEP_SECONDS",
    "task_timeout": "TASK_TIMEOUT_SECONDS",
    "worker_memory": "WORKER_MEMORY_MB",
    "max_upload": "MAX_UPLOAD_MB",
}
IN_MEGABYTES = {"worker_memory", "max_upload"}
NOT_FROM_VARIABLES = {"log_times", "listen_everywhere"}  # which follow from where the site runs
IN_TABLES = {"quotas", "alerts"}
ALERTS = {
    "oldest_wait": "ALERT_OLDEST_WAIT_SECONDS",
    "failure_percent": "ALERT_FAILURE_PERCENT",
    "failure_least": "ALERT_FAILURE_TASKS",
    "mail_wait": "ALERT_MAIL_WAIT_SECONDS",
}


@dataclass(frozen=True)
class ShownSetting:
    """A variable of the environment and its value, as one would set it."""

    variable: str
    value: str


def shown_settings(settings: Settings) -> list[ShownSetting]:
    """All of them by name, quotas and limits of alerts included. No secret is in it, and no part of one."""
    found = [ShownSetting(variable, _value(name, getattr(settings, name))) for name, variable in VARIABLES.items()]
    found += [ShownSetting(name.upper(), "set" if getattr(settings, name) else "not set") for name in SECRETS]
    found += [ShownSetting(variable, str(getattr(settings.alerts, name))) for name, variable in ALERTS.items()]
    return sorted(found + _quotas(settings.quotas), key=lambda shown: shown.variable)


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if value is None or value == "":
        return "not set"
    if name in IN_MEGABYTES:
        return str(value // MEGABYTE)
    return str(value) if isinstance(value, str | int | Path) else ""


def _quotas(quotas: Quotas) -> list[ShownSetting]:
    found = []
    for quota, row in QUOTAS.items():
        most = quotas[quota]
        found.append(ShownSetting(row.variable, _most(most.accounts, row.unit)))
        if row.guests is not None:
            found.append(ShownSetting(GUEST + row.variable, _most(most.guests, row.unit)))
    return found


def _most(most: int | None, unit: int) -> str:
    return "0 (unlimited)" if most is None else number(most // unit)
