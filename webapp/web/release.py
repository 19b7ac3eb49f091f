"""The release: a name for all that a rendered fragment is made of, besides what is in the database.

It stands in ETags and in the URLs of static files. Every process of a deployment comes to the same name, and any other
one to another: other sources, other libraries, other settings, other rules for time zones.
"""

import hashlib
import hmac
import sys
import zoneinfo
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

from webapp.settings import Settings

ROOT = Path(__file__).parent.parent.parent

# No page shows them, and nothing about them may be found out from a name that everybody sees.
SECRETS = frozenset(
    {"secret_key", "secret_key_fallbacks", "database_url", "redis_url"}
    | {"mail_username", "mail_password", "admins", "sentry_dsn", "metrics_token"}
)
# How one process or one machine runs, which may differ within a deployment; no page shows them.
OF_A_PROCESS = frozenset(
    {"data_dir", "port", "web_concurrency", "worker_concurrency", "log_level", "log_format", "log_times"}
    | {"listen_everywhere"}
)
NOT_SHOWN = SECRETS | OF_A_PROCESS  # every other setting counts, also one that is new
ZONE_VERSIONS = ("tzdata.zi", "+VERSION")  # files that say which rules a folder of time zones has


def release_name(settings: Settings) -> str:
    """The name with these settings. It is keyed by the secret key: nobody else learns a setting by trying values."""
    shown = [(field.name, getattr(settings, field.name)) for field in fields(settings) if field.name not in NOT_SHOWN]
    parts = _sources(), _libraries(), _time_zones(), repr(shown).encode()
    return hmac.new(settings.secret_key.encode(), b"".join(map(_digest, parts)), hashlib.sha256).hexdigest()[:12]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@cache
def _sources() -> bytes:
    """The digest of all source files. A process runs what it has read, so it asks once."""
    return _of_files(
        path
        for folder in ("templates", "webapp", "tasks")
        for path in sorted((ROOT / folder).rglob("*.*"))
        if "__pycache__" not in path.parts  # where files come and go while other processes start
    )


@cache
def _libraries() -> bytes:
    """Python and every installed distribution, with their versions: what renders, and what that needs in turn."""
    found = {path.name for folder in sys.path for path in Path(folder).glob("*-info") if path.is_dir()}
    return "\n".join([sys.version, *sorted(found)]).encode()


@cache
def _time_zones() -> bytes:
    """The digest of the system's rules for time zones; where it has none, those are a library's."""
    digest = hashlib.sha256()
    for folder in map(Path, zoneinfo.TZPATH):
        versions = [folder / name for name in ZONE_VERSIONS if (folder / name).is_file()]
        digest.update(_of_files(versions or (path for path in sorted(folder.rglob("*")) if path.is_file())))
    return digest.digest()


def _of_files(paths: Iterator[Path] | list[Path]) -> bytes:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.digest()
