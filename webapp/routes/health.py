"""Probes for whoever operates the site."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from peewee import PeeweeException

from webapp.database import database
from webapp.resilience import persistently

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 as long as this process answers. It asks nobody, and there is always a thread for it."""
    return "ok\n", {"Content-Type": "text/plain"}


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when the database answers too, else 503, after five seconds at the latest where it hangs.

    The queue may be down: people's requests succeed without it.
    """
    try:
        persistently(lambda: database.execute_sql("SELECT 1"))
    except PeeweeException:
        return "the database does not answer\n", 503, {"Content-Type": "text/plain"}
    return "ready\n", {"Content-Type": "text/plain"}
