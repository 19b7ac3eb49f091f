"""Every setting of Errand, read from the environment once. No other module reads `os.environ`."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

DEFAULT_MAILBOX_PORT = 8025
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")


class SettingsError(ValueError):
    """A setting that cannot work. Its text is one line that names the variable and what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Build it with `from_env`, or directly in a test.

    Sizes are bytes, times are seconds. `mail_server` is None where mail cannot be sent at all.
    """

    secret_key: str
    data_dir: Path
    database_url: str
    redis_url: str | None = None
    port: int = 5000
    base_url: str = ""
    mail_server: str | None = None
    mail_port: int = 25
    mail_username: str | None = None
    mail_password: str | None = None
    mail_use_tls: bool = False
    mail_use_ssl: bool = False
    mail_default_sender: str = "Errand <errand@localhost>"
    mailbox: bool = False
    web_concurrency: int = 2
    worker_concurrency: int = 2
    task_lease: int = 15
    task_sweep: int = 5
    retention_days: int = 30
    artifact_days: int = 7
    allow_guests: bool = True
    max_upload: int = 10 * 1024 * 1024
    mail_daily_limit: int = 5000
    log_level: str = "INFO"
    trusted_proxies: int = 0

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

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read and check every variable.

        Raises SettingsError at the first bad value. Creates the data folder, and in it, where neither
        DATABASE_URL nor REDIS_URL is set, a secret key that later starts find again.
        """
        read = _Reader(os.environ if env is None else env)
        data_dir = _writable_folder(read.text("DATA_DIR", "instance"))
        database_url = _checked_database_url(read.text("DATABASE_URL"))
        redis_url = _checked_redis_url(read.text("REDIS_URL"))
        deployed = bool(database_url or redis_url)
        port = read.integer("PORT", 5000, 1, 65535)
        mailbox = not read.text("MAIL_SERVER") and read.flag("DEV_MAILBOX", not deployed)
        use_tls, use_ssl = read.flag("MAIL_USE_TLS", False), read.flag("MAIL_USE_SSL", False)
        _check_encryption(read, use_tls, use_ssl)
        return cls(
            secret_key=read.text("SECRET_KEY") or _own_secret_key(data_dir, deployed),
            data_dir=data_dir,
            database_url=database_url or f"sqlite:///{quote(str(data_dir / 'errand.db'))}",
            redis_url=redis_url,
            port=port,
            base_url=_checked_base_url(read.text("BASE_URL")) or ("" if deployed else f"http://127.0.0.1:{port}"),
            mail_server="127.0.0.1" if mailbox else read.text("MAIL_SERVER") or None,
            mail_port=read.integer("MAIL_PORT", DEFAULT_MAILBOX_PORT if mailbox else 465 if use_ssl else 587, 1, 65535),
            mail_username=read.text("MAIL_USERNAME") or None,
            mail_password=read.text("MAIL_PASSWORD") or None,
            mail_use_tls=use_tls,
            mail_use_ssl=use_ssl,
            mail_default_sender=read.text("MAIL_DEFAULT_SENDER", "Errand <errand@localhost>"),
            mailbox=mailbox,
            web_concurrency=read.integer("WEB_CONCURRENCY", 2, 1, 64),
            worker_concurrency=read.integer("WORKER_CONCURRENCY", 2, 1, 64),
            task_lease=read.integer("TASK_LEASE_SECONDS", 15, 1, 3600),
            task_sweep=read.integer("TASK_SWEEP_SECONDS", 5, 1, 3600),
            retention_days=read.integer("RETENTION_DAYS", 30, 1, 36500),
            artifact_days=read.integer("ARTIFACT_DAYS", 7, 1, 36500),
            allow_guests=read.flag("ALLOW_GUESTS", True),
            max_upload=read.integer("MAX_UPLOAD_MB", 10, 1, 1024) * 1024 * 1024,
            mail_daily_limit=read.integer("MAIL_DAILY_LIMIT", 5000, 0, 1_000_000),
            log_level=read.choice("LOG_LEVEL", "INFO", LOG_LEVELS),
            # Heroku puts exactly one router before every dyno; elsewhere proxies are trusted only when named.
            trusted_proxies=read.integer("TRUSTED_PROXIES", 1 if read.text("DYNO") else 0, 0, 10),
        )


class _Reader:
    """Reads typed values of an environment; an empty value counts as unset."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env

    def text(self, name: str, default: str = "") -> str:
        return self.env.get(name, "").strip() or default

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Whether a variable says yes, in one of the usual words. Raises SettingsError for any other."""
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise SettingsError(f"{name} must be 1 or 0, not {value!r}")

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).upper()
        if value not in choices:
            raise SettingsError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
        return value


def _check_encryption(read: _Reader, use_tls: bool, use_ssl: bool) -> None:
    if use_tls and use_ssl:
        raise SettingsError("MAIL_USE_TLS and MAIL_USE_SSL exclude each other: set one of them")
    if read.text("MAIL_USERNAME") and not (use_tls or use_ssl or read.text("MAIL_SERVER") in LOOPBACK):
        raise SettingsError("MAIL_USERNAME needs MAIL_USE_TLS or MAIL_USE_SSL: its password must not travel in clear")


def _writable_folder(name: str) -> Path:
    folder = Path(name).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"DATA_DIR {folder} cannot be written: {error.strerror or error}") from error
    return folder


def _own_secret_key(data_dir: Path, deployed: bool) -> str:
    if deployed:
        raise SettingsError("SECRET_KEY must be set when DATABASE_URL or REDIS_URL is")
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


def _parsed(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # is parsed only when asked for
        return parts
    except ValueError as error:
        raise SettingsError(f"{name} is no address: {error}") from error


def _checked_database_url(url: str) -> str:
    if url and _parsed("DATABASE_URL", url).scheme not in DATABASE_SCHEMES:
        raise SettingsError(f"DATABASE_URL must begin with one of {', '.join(s + '://' for s in DATABASE_SCHEMES)}")
    if url.startswith("postgres"):
        _check_postgres_url(url)
    return url


def _check_postgres_url(url: str) -> None:
    import psycopg  # takes long to load, and most starts on one machine do without
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(url)
    except psycopg.Error as error:
        what = str(error).partition(":")[0]  # behind it may stand the password
        raise SettingsError(f"DATABASE_URL is no address that PostgreSQL understands: {what}") from error


def _checked_redis_url(url: str) -> str | None:
    if url and _parsed("REDIS_URL", url).scheme not in {"redis", "rediss"}:
        raise SettingsError("REDIS_URL must begin with redis:// or rediss://")
    if url.startswith("rediss://") and "ssl_cert_reqs" not in url:
        # Heroku's Redis presents a self-signed certificate: the line is encrypted, the name cannot be verified.
        url += ("&" if "?" in url else "?") + "ssl_cert_reqs=none"
    return url or None


def _checked_base_url(url: str) -> str:
    parts = _parsed("BASE_URL", url)
    if url and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise SettingsError(f"BASE_URL must be the site's address, like https://errand.example, not {url!r}")
    return url.rstrip("/")
