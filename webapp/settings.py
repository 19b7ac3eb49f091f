"""Every setting of Errand, read from the environment once. No other module reads `os.environ`."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from webapp.lib.environment import Reader, SettingsError

__all__ = ["Settings", "SettingsError"]

DEFAULT_MAILBOX_PORT = 8025
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
APP_NAME = "Errand"
LONGEST_NAME = 40  # characters: it stands in the header of every page and in each mail
LOG_FORMATS = ("text", "json")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
BOXES = ("/.dockerenv", "/run/.containerenv")  # what Docker and Podman put into their containers
SHORTEST_KEY = 16  # characters: 128 bits where each is a random byte
HOST = re.compile(r"[\w.:-]{1,253}", re.ASCII)
ADDRESS = re.compile(r"[!-?A-~]{1,64}@[^\s@]{1,253}")  # few mail servers take other than ASCII before the @


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Build it with `from_env`, or directly in a test.

    Sizes are bytes, times are seconds. `mail_server` is None where mail cannot be sent at all.
    """

    secret_key: str
    data_dir: Path
    database_url: str
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
    retention_days: int = 30
    artifact_days: int = 7
    allow_guests: bool = True
    max_upload: int = 10 * 1024 * 1024
    mail_daily_limit: int = 5000
    log_level: str = "INFO"
    log_format: str = "text"
    log_times: bool = True
    trusted_proxies: int = 0
    hsts_subdomains: bool = False
    listen_everywhere: bool = False

    @property
    def secure(self) -> bool:
        """Whether people reach this site by HTTPS only, so that cookies may demand it."""
        return self.base_url.startswith("https://") or (self.trusted_proxies > 0 and not self.base_url)

    @property
    def queue_file(self) -> Path:
        """The file of the embedded queue, apart from the database's so that their locks never meet."""
        return self.data_dir / "queue.db"

    @property
    def mail_dir(self) -> Path:
        """Where the development mailbox keeps each mail as an .eml file."""
        return self.data_dir / "mail"

    @property
    def warnings(self) -> list[str]:
        """What works, and should not stay so: a line each."""
        clear = self.mail_server and not (self.mail_use_tls or self.mail_use_ssl) and self.mail_server not in LOOPBACK
        plain = f"Mail to {self.mail_server} is sent unencrypted: set MAIL_USE_TLS or MAIL_USE_SSL"
        return [plain] if clear else []

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read and check every variable.

        Raises SettingsError with all that is wrong. Creates the data folder, and in it, where neither DATABASE_URL nor
        REDIS_URL is set, a secret key that later starts find again. What this process writes from then on, only its
        own user can read.
        """
        read = Reader(os.environ if env is None else env)
        database_url, redis_url = _database_url(read), _redis_url(read)
        deployed = bool(database_url or redis_url)
        port = read.integer("PORT", 5000, 1, 65535)
        base_url = _base_url(read) or ("" if deployed else f"http://127.0.0.1:{port}")
        data_dir = _private_folder(read)
        app_name = _app_name(read)
        retention_days = read.integer("RETENTION_DAYS", 30, 1, 36500)
        settings = {
            "secret_key": _secret_key(read, data_dir, deployed),
            "data_dir": data_dir,
            "database_url": database_url or f"sqlite:///{quote(str(data_dir / 'errand.db'))}",
            "redis_url": redis_url,
            "app_name": app_name,
            "port": port,
            "base_url": base_url,
            **_mail(read, deployed, base_url, app_name),
            "web_concurrency": read.integer("WEB_CONCURRENCY", 2, 1, 64),
            "worker_concurrency": read.integer("WORKER_CONCURRENCY", 2, 1, 64),
            "task_lease": read.integer("TASK_LEASE_SECONDS", 15, 1, 3600),
            "task_sweep": read.integer("TASK_SWEEP_SECONDS", 5, 1, 3600),
            "task_timeout": read.integer("TASK_TIMEOUT_SECONDS", 300, 1, 86400),
            "retention_days": retention_days,
            "artifact_days": read.integer("ARTIFACT_DAYS", min(7, retention_days), 1, 36500),
            "allow_guests": read.flag("ALLOW_GUESTS", True),
            "max_upload": read.integer("MAX_UPLOAD_MB", 10, 1, 1024) * 1024 * 1024,
            "mail_daily_limit": read.integer("MAIL_DAILY_LIMIT", 5000, 0, 1_000_000),
            "log_level": read.choice("LOG_LEVEL", "INFO", LOG_LEVELS),
            "log_format": read.choice("LOG_FORMAT", "text", LOG_FORMATS),
            "log_times": not read.text("DYNO"),  # Heroku's log has them
            # Heroku puts exactly one router before every dyno; elsewhere proxies are trusted only when named.
            "trusted_proxies": read.integer("TRUSTED_PROXIES", 1 if read.text("DYNO") else 0, 0, 10),
            "hsts_subdomains": read.flag("HSTS_SUBDOMAINS", False),
            "listen_everywhere": _is_boxed(read),
        }
        read.compare("ARTIFACT_DAYS", "RETENTION_DAYS", 1, "a task's files are deleted with the task")
        read.compare("TASK_SWEEP_SECONDS", "TASK_LEASE_SECONDS", 10, "lost tasks would wait that long")
        read.finish()
        return cls(**settings)


# What belongs together


def _app_name(read: Reader) -> str:
    name = read.text("APP_NAME", APP_NAME)
    if not name.isprintable() or len(name) > LONGEST_NAME or set(name) & set('<>@"\\'):
        read.problem("APP_NAME", f'must be at most {LONGEST_NAME} characters on one line, without < > @ " or \\')
        return APP_NAME
    return name


def _is_boxed(read: Reader) -> bool:
    """Whether this is a dyno or a container, of which nobody outside reaches more than is let through to it."""
    return any(read.text(name) for name in ("DYNO", "KUBERNETES_SERVICE_HOST")) or any(map(os.path.exists, BOXES))


def _database_url(read: Reader) -> str:
    url = read.address("DATABASE_URL", DATABASE_SCHEMES)
    if url.startswith("postgres"):
        import psycopg  # takes long to load, and most starts on one machine do without
        from psycopg.conninfo import conninfo_to_dict

        try:
            conninfo_to_dict(url)
        except psycopg.Error as error:
            what = str(error).partition(":")[0]  # behind it may stand the password
            read.problem("DATABASE_URL", f"is not a valid PostgreSQL address: {what}")
    return url


def _redis_url(read: Reader) -> str | None:
    url = read.address("REDIS_URL", ("redis", "rediss"))
    if url.startswith("rediss://") and "ssl_cert_reqs" not in url and read.text("DYNO"):
        # Heroku's Redis presents a self-signed certificate: the line is encrypted, the name cannot be verified.
        url += ("&" if "?" in url else "?") + "ssl_cert_reqs=none"
    if url:
        from redis import (
            Connection,
            RedisError,
            SSLConnection,
        )  # takes long to load, and most starts on one machine do without
        from redis.connection import parse_url

        try:
            options = {name: value for name, value in parse_url(url).items() if name != "connection_class"}
            (SSLConnection if url.startswith("rediss") else Connection)(**options)  # connects to nothing
        except (TypeError, ValueError, RedisError):  # which may repeat the password
            read.problem("REDIS_URL", "has options after its ? that Redis clients do not know")
    return url or None


def _base_url(read: Reader) -> str:
    what = "the site's address, like https://errand.example"
    url = read.address("BASE_URL", ("http", "https"), what).rstrip("/")
    parts = urlsplit(url)
    if url and ("@" in parts.netloc or parts.query or parts.fragment or not HOST.fullmatch(hostname(url))):
        read.problem("BASE_URL", f"must be {what}: a host, optionally followed by a port and a path")
        return ""
    return urlunsplit(parts)  # with the scheme in lower case


def _mail(read: Reader, deployed: bool, base_url: str, app_name: str) -> dict[str, Any]:
    server = read.text("MAIL_SERVER")
    use_tls, use_ssl = read.flag("MAIL_USE_TLS", False), read.flag("MAIL_USE_SSL", False)
    username, password = read.text("MAIL_USERNAME"), read.text("MAIL_PASSWORD")
    # It shows everybody's mail to anybody, so it is for a site that nobody else can reach.
    alone = hostname(base_url) in LOOPBACK
    mailbox = not server and read.flag("DEV_MAILBOX", alone and not deployed)
    if mailbox and not alone:
        read.problem("DEV_MAILBOX", "shows all mail to everyone, so BASE_URL must be an address of this machine")
    if server and not HOST.fullmatch(server):
        read.problem("MAIL_SERVER", f"must be a host name, like smtp.example.com, not {server!r}")
    if use_tls and use_ssl:
        read.problem("MAIL_USE_TLS", "and MAIL_USE_SSL can't both be set: choose one")
    if bool(username) != bool(password):
        read.problem("MAIL_USERNAME", "and MAIL_PASSWORD go together: set both or neither")
    if username and not server:
        read.problem("MAIL_USERNAME", "is set, but MAIL_SERVER is not")
    if username and not (use_tls or use_ssl or server in LOOPBACK):
        read.problem("MAIL_USERNAME", "needs MAIL_USE_TLS or MAIL_USE_SSL: its password must not be sent unencrypted")
    sender = read.text("MAIL_DEFAULT_SENDER", _sender(app_name))
    if not (sender.isprintable() and ADDRESS.fullmatch(parseaddr(sender)[1])):
        read.problem(
            "MAIL_DEFAULT_SENDER", f"must be an email address, like Errand <errand@example.com>, not {sender!r}"
        )
    return {
        "mail_server": "127.0.0.1" if mailbox else server or None,
        "mail_port": read.integer("MAIL_PORT", DEFAULT_MAILBOX_PORT if mailbox else 465 if use_ssl else 587, 1, 65535),
        "mail_username": username or None,
        "mail_password": password or None,
        "mail_use_tls": use_tls,
        "mail_use_ssl": use_ssl,
        "mail_default_sender": sender,
        "mailbox": mailbox,
    }


def _sender(app_name: str) -> str:
    is_plain = app_name.replace(" ", "").isalnum()
    return f"{app_name} <errand@localhost>" if is_plain else f'"{app_name}" <errand@localhost>'


def _private_folder(read: Reader) -> Path:
    """The data folder, which is made for this user alone if it is not there, and what Errand has in it likewise."""
    folder = Path(read.text("DATA_DIR", "instance"))
    os.umask(0o077)
    try:
        folder = folder.expanduser().resolve()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".writable-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
        for path in folder.glob("*.db*"):  # an earlier release let every user of the machine read them
            path.chmod(0o600)
        if (folder / "mail").is_dir():
            (folder / "mail").chmod(0o700)
    except RuntimeError:  # of `expanduser`
        read.problem("DATA_DIR", f"{folder} starts with a user who has no home directory here")
    except OSError as error:
        read.problem("DATA_DIR", f"{folder} is not writable: {error.strerror or error}")
    return folder


def _secret_key(read: Reader, data_dir: Path, deployed: bool) -> str:
    key = read.text("SECRET_KEY")
    if key and len(key) < SHORTEST_KEY:
        read.problem("SECRET_KEY", f"must have at least {SHORTEST_KEY} characters, ideally 64 random ones")
    if not key and deployed:
        read.problem("SECRET_KEY", "must be set when DATABASE_URL or REDIS_URL is")
    return key or ("" if read.problems else _own_secret_key(data_dir))


def _own_secret_key(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    draft = data_dir / f".secret_key-{secrets.token_hex(4)}"
    # Linked into place whole: of two processes that start at once, both read the key of the one that came first.
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_text()
    finally:
        draft.unlink()
    return path.read_text()


def hostname(url: str) -> str:
    """The host in an address, in lower case; "" where there is none."""
    return urlsplit(url).hostname or ""
