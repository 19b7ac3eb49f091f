"""The system: what runs here, on what, and how much room it has left.

Everything that is asked has a deadline, and all of it together one, too: what does not answer by then is told as
unknown. This is the page that is looked at while something hangs.
"""

import platform
import shutil
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from tasks.queue import huey
from webapp.db import is_postgres, schema
from webapp.db.sizes import Table, clock_ahead, largest_tables, server_kind, sizes
from webapp.lib.i18n import number, size
from webapp.lib.promptly import promptly
from webapp.lib.times import utcnow
from webapp.models import MailPace, statistics
from webapp.settings import Settings
from webapp.web.presenters.desk.kind_words import bounded
from webapp.web.presenters.desk.patience import Patience

STARTED_AT = utcnow()  # of this process, or of the one that it was forked from
LIBRARIES = ("Flask", "Jinja2", "peewee", "huey", "Flask-Mail", "gunicorn")
CLOCK_MAY_DIFFER = 1.0  # seconds
MOST_MESSAGES = 10_000  # that are counted
QUEUE_ANSWERS_WITHIN = 1.5  # seconds
UNKNOWN = "unknown"
UNANSWERED = "The database didn’t answer in time; a table may be locked."


@dataclass(frozen=True)
class Fact:
    """Something that is so: its name and its value, and what is wrong with that."""

    name: str
    value: str | datetime
    problem: str = ""


@dataclass(frozen=True)
class System:
    """The facts in their groups, and the largest tables; None where these could not be read."""

    groups: list[tuple[str, list[Fact]]]
    tables: list[Table] | None


def look_at_system(settings: Settings, release: str, patience: Patience) -> System:
    """What there is to know. At most ten small queries, and one question to the queue, each within its deadline."""
    groups = [
        ("Release", _release(release)),
        ("Database", _database(patience)),
        ("Queue", _queue(settings)),
        ("Mail", _mail(settings, patience)),
        ("Processes", _processes(settings, patience)),
        ("Machine", _machine(settings, patience)),
    ]
    return System(groups, patience.read(largest_tables))


def _unknown(*names: str) -> list[Fact]:
    return [Fact(name, UNKNOWN, UNANSWERED) for name in names]


def _release(release: str) -> list[Fact]:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        Fact("Release", release),
        Fact("Started", STARTED_AT),
        Fact("Python", platform.python_version()),
        Fact("Libraries", libraries),
    ]


def _database(patience: Patience) -> list[Fact]:
    return [*_room(patience), *_schema(patience)]


def _room(patience: Patience) -> list[Fact]:
    found = patience.read(sizes)
    if found is None:
        return [Fact("Server", server_kind()), *_unknown("Size")]
    facts = [Fact("Server", f"{found.kind} {found.version}"), Fact("Size", size(found.size))]
    return facts if is_postgres() else [*facts, Fact("Write-ahead log", size(found.log))]


def _schema(patience: Patience) -> list[Fact]:
    standings = patience.read(schema.status)
    if standings is None:
        return _unknown("Schema")
    applied = [name for name, standing in standings if standing != "pending"]
    pending = [name for name, standing in standings if standing == "pending"]
    unknown = [name for name, standing in standings if standing == "unknown"]
    return [
        Fact("Schema", applied[-1] if applied else "none", f"{unknown[-1]} is of a later release" if unknown else ""),
        Fact("Migrations pending", number(len(pending)), "Run flask --app webapp.wsgi migrate." if pending else ""),
    ]


def _queue(settings: Settings) -> list[Fact]:
    kind = "Redis" if settings.redis_url else "PostgreSQL" if is_postgres() else "SQLite file"
    try:
        waiting = promptly(lambda: huey.pending_count(MOST_MESSAGES + 1), QUEUE_ANSWERS_WITHIN)
    except Exception:
        return [Fact("Queue", kind), Fact("Messages", UNKNOWN, "The queue doesn’t answer. Tasks go on without it.")]
    return [Fact("Queue", kind), Fact("Messages", bounded(waiting, MOST_MESSAGES))]


def _mail(settings: Settings, patience: Patience) -> list[Fact]:
    if not settings.mail_server:
        return [Fact("Mail server", "none", "Nothing is mailed: set MAIL_SERVER.")]
    security = "TLS" if settings.mail_use_ssl else "STARTTLS" if settings.mail_use_tls else "unencrypted"
    return [
        Fact("Mail server", f"{settings.mail_server}:{settings.mail_port}, {security}"),
        Fact("Signs in", "yes" if settings.mail_username else "no"),
        Fact("Sender", settings.mail_default_sender),
        *(patience.read(_pace) or _unknown("Pace")),
    ]


def _pace() -> list[Fact]:
    pace = MailPace.current()
    return [Fact("Pace", f"{pace.rate:.0f} a minute, as the server asks" if pace else "as fast as the server takes it")]


def _processes(settings: Settings, patience: Patience) -> list[Fact]:
    web = Fact("Web processes of each web host", number(settings.web_concurrency))
    able = patience.read(statistics.capacity)
    if able is None:
        return [web, *_unknown("Workers")]
    return [
        web,
        Fact("Workers", number(able.workers), "" if able.workers else "No worker takes tasks."),
        Fact("Tasks at once", number(able.capacity)),
    ]


def _machine(settings: Settings, patience: Patience) -> list[Fact]:
    disk, ahead = shutil.disk_usage(settings.data_dir), patience.read(clock_ahead)
    facts = [
        Fact("Machine", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Fact("Free in DATA_DIR", f"{size(disk.free)} of {size(disk.total)}"),
        Fact("Clock", utcnow()),
    ]
    if ahead is not None:
        problem = "Leases are kept by clocks: use NTP." if abs(ahead) > CLOCK_MAY_DIFFER else ""
        facts.append(Fact("Database’s clock", f"{ahead:+.2f} seconds", problem))
    return facts
