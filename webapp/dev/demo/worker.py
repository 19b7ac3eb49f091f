"""The worker of this world, which was lost a moment ago."""

from datetime import datetime, timedelta

from webapp.dev.desk_factories import make_worker

TOKEN = "de30" * 8
HOST = "choir-hall"
PROCESSES = 2


def leave_worker(now: datetime) -> None:
    """It is silent since now: what it held waits for another, and the desk shows both."""
    began = now - timedelta(days=2, hours=3)
    said = {"processes": PROCESSES, "started_at": began, "heard_at": now - timedelta(seconds=2), "lives_until": now}
    make_worker(HOST, token=TOKEN, release="", **said)
