"""Every setting of Errand, read from the environment once. Besides, only what starts processes reads `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from webapp.lib.alert_variables import AlertLimits, read_alert_limits
from webapp.lib.containers import in_container
from webapp.lib.data_folder import read_data_folder, read_secret_key, read_secret_key_fallbacks
from webapp.lib.environment import Reader, SettingsError
from webapp.lib.error_variables import read_error_reports
from webapp.lib.mail_variables import read_mail_server
from webapp.lib.quota_variables import DEFAULTS, Quotas, read_quotas
from webapp.lib.service_urls import HOST, LOOPBACK, hostname, read_database_url, read_redis_url

__all__ = ["LOOPBACK", "Settings", "SettingsError", "hostname"]

DEFAULT_MAILBOX_PORT = 8025
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
APP_NAME = "Errand"
LONGEST_NAME = 40  # characters: it stands in the header of every page and in each mail
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Build it with `from_env`, or directly in a test.

    Sizes are bytes, times are seconds. `mail_server` is None where mail cannot be sent at all.
    """

    secret_key: str
    data_dir: Path
    database_url: str
    secret_key_fallbacks: tuple[str, ...] = ()
    app_name: str = APP_NAME
    redis_url: str | None = None
    port: int = 5000
    base_url: str = ""
    mail_server: str | None = None
    mail_port: int = 25
    mail_username: str | None = None
    mail_password: str | None = None
    mail_use_tls: bool = False
    mail_use_ssl: bool = False
    mail_default_sender: str = f"{APP_NAME} <errand@localhost>"
    mailbox: bool = False
    web_concurrency: int = 2
    worker_concurrency: int = 2
    task_lease: int = 15
    task_sweep: int = 5
    task_timeout: int = 300
    worker_memory: int = 256 * 1024 * 1024
    retention_days: int = 30
    guest_days: int = 30
    artifact_days: int = 7
    audit_days: int = 400
    allow_guests: bool = True
    max_upload: int = 10 * 1024 * 1024
    mail_daily_limit: int = 5000
    log_level: str = "INFO"
    log_format: str = "text"
    log_times: bool = True
    trusted_proxies: int = 0
    hsts_subdomains: bool = False
    listen_everywhere: bool = False
    admins: tuple[str, ...] = ()
    sentry_dsn: str | None = None
    quotas: Quotas = field(default_factory=lambda: DEFAULTS)
    alerts: AlertLimits = field(default_factory=AlertLimits)

    @property
    def secret_keys(self) -> list[str]:
        """All keys as itsdangerous takes them: what any of them signed is read, and the last one signs."""
        return [*reversed(self.secret_key_fallbacks), self.secret_key]

    @property
    def secure(self) -> bool:
        """Whether people reach this site by HTTPS only, so that cookies may require it."""
        return self.base_url.startswith("https://") or (self.trusted_proxies > 0 and not self.base_url)

    @property
    def queue_file(self) -> Path:
        """The file of the embedded queue; not the database's, so that their locks never meet."""
        return self.data_dir / "queue.db"

    @property
    def mail_dir(self) -> Path:
        """Where the development mailbox keeps each mail as an .eml file."""
        return self.data_dir / "mail"

    @property
    def warnings(self) -> list[str]:
        """What works but should not stay so: a line each."""
        clear = self.mail_server and not (self.mail_use_tls or self.mail_use_ssl) and self.mail_server not in LOOPBACK
        plain = f"Mail to {self.mail_server} is sent unencrypted: set MAIL_USE_TLS or MAIL_USE_SSL"
        lost = self.admins and not (self.mail_server or self.sentry_dsn)
        unsent = "ADMINS are not mailed about errors: no MAIL_SERVER is set"
        return [plain] * bool(clear) + [unsent] * bool(lost)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read and check every variable.

        Raises SettingsError with all problems. Creates the data folder and, if neither DATABASE_URL nor REDIS_URL is
        set, a secret key in it for all later starts. Files that this process creates from then on are private.
        """
        read = Reader(os.environ if env is None else env)
        database_url, redis_url = read_database_url(read), read_redis_url(read)
        deployed = bool(database_url or redis_url)
        port, app_name = read.integer("PORT", 5000, 1, 65535), _app_name(read)
        base_url = _base_url(read) or ("" if deployed else f"http://127.0.0.1:{port}")
        data_dir = read_data_folder(read)
        retention_days = read.integer("RETENTION_DAYS", 30, 1, 36500)
        settings = {
            "secret_key": read_secret_key(read, data_dir, deployed),
            "secret_key_fallbacks": read_secret_key_fallbacks(read),
            "data_dir": data_dir,
            "database_url": database_url or f"sqlite:///{quote(str(data_dir / 'errand.db'))}",
            "redis_url": redis_url,
            "app_name": app_name,
            "port": port,
            "base_url": base_url,
            **_mail(read, deployed, base_url, app_name),
            **_processes(read),
            "retention_days": retention_days,
            "artifact_days": read.integer("ARTIFACT_DAYS", min(7, retention_days), 1, 36500),
            "audit_days": read.integer("AUDIT_DAYS", 400, 1, 36500),
            "guest_days": read.integer("GUEST_DAYS", 30, 0, 36500),
            "allow_guests": read.flag("ALLOW_GUESTS", True),
            "max_upload": read.integer("MAX_UPLOAD_MB", 10, 1, 1024) * 1024 * 1024,
            "mail_daily_limit": read.integer("MAIL_DAILY_LIMIT", 5000, 0, 1_000_000),
            "log_level": read.choice("LOG_LEVEL", "INFO", LOG_LEVELS),
            "log_format": read.choice("LOG_FORMAT", "text", LOG_FORMATS),
            "log_times": not read.text("DYNO"),  # Heroku's log has them
            # Heroku puts exactly one router before every dyno; elsewhere proxies are trusted only when named.
            "trusted_proxies": read.integer("TRUSTED_PROXIES", 1 if read.text("DYNO") else 0, 0, 10),
            "hsts_subdomains": read.flag("HSTS_SUBDOMAINS", False),
            "listen_everywhere": in_container(read),
            **read_error_reports(read),
            "quotas": read_quotas(read),
            "alerts": read_alert_limits(read),
        }
        read.compare("ARTIFACT_DAYS", "RETENTION_DAYS", 1, "a task's files are deleted with the task")
        read.compare("TASK_SWEEP_SECONDS", "TASK_LEASE_SECONDS", 10, "lost tasks would wait that long")
        read.finish()
        return cls(**settings)


# Settings that belong together


def _processes(read: Reader) -> dict[str, int]:
    return {
        "web_concurrency": read.integer("WEB_CONCURRENCY", 2, 1, 64),
        "worker_concurrency": read.integer("WORKER_CONCURRENCY", 2, 1, 64),
        "task_lease": read.integer("TASK_LEASE_SECONDS", 15, 1, 3600),
        "task_sweep": read.integer("TASK_SWEEP_SECONDS", 5, 1, 3600),
        "worker_memory": read.integer("WORKER_MEMORY_MB", 256, 128, 1_048_576, or_zero=True) * 1024 * 1024,
        "task_timeout": read.integer("TASK_TIMEOUT_SECONDS", 300, 1, 86400),
    }


def _app_name(read: Reader) -> str:
    name = read.text("APP_NAME", APP_NAME)
    if not name.isprintable() or len(name) > LONGEST_NAME or set(name) & set('<>@"\\'):
        read.problem("APP_NAME", f'must be at most {LONGEST_NAME} characters on one line, without < > @ " or \\')
        return APP_NAME
    return name


def _base_url(read: Reader) -> str:
    what = "the site's address, like https://errand.example"
    url = read.address("BASE_URL", ("http", "https"), what).rstrip("/")
    parts = urlsplit(url)
    if url and ("@" in parts.netloc or parts.query or parts.fragment or not HOST.fullmatch(hostname(url))):
        read.problem("BASE_URL", f"must be {what}: a host, optionally followed by a port and a path")
        return ""
    return urlunsplit(parts)  # with the scheme in lower case


def _mail(read: Reader, deployed: bool, base_url: str, app_name: str) -> dict[str, Any]:
    # The development mailbox shows everybody's mail to anybody, so it is for a site that nobody else can reach.
    is_local = hostname(base_url) in LOOPBACK
    mailbox = not read.text("MAIL_SERVER") and read.flag("DEV_MAILBOX", is_local and not deployed)
    if mailbox and not is_local:
        read.problem("DEV_MAILBOX", "shows all mail to everyone, so BASE_URL must be an address of this machine")
    name = app_name if app_name.replace(" ", "").isalnum() else f'"{app_name}"'
    server = read_mail_server(read, DEFAULT_MAILBOX_PORT if mailbox else None, f"{name} <errand@localhost>")
    return {**server, "mailbox": mailbox}
