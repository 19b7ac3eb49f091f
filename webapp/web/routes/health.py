"""Probes for whoever operates the site."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from peewee import PeeweeException

from webapp.db import readiness
from webapp.db.resilience import away, persistently

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 as long as this process answers. It asks nobody, and there is always a thread for it."""
    return "ok\n", {"Content-Type": "text/plain"}


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when the database answers too and has the schema of this release or a later one, else 503 in words.

    It asks one small query, and takes five seconds at the most, where the database hangs. The queue may be down:
    people's requests succeed without it.
    """
    try:
        lack = persistently(readiness.lack)
    except PeeweeException as error:
        away.failed(error)
        return "the database does not answer\n", 503, {"Content-Type": "text/plain"}
    if lack:
        readiness.lacking.failed(lack)
        return f"the database is not ready: {lack}\n", 503, {"Content-Type": "text/plain"}
    readiness.lacking.is_over()
    return "ready\n", {"Content-Type": "text/plain"}
