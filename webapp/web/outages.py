"""Outages: what people and programs are told while the database cannot be used."""

from peewee import PeeweeException

from webapp.db import readiness
from webapp.db.resilience import away, is_unavailable

UNAVAILABLE = "Our database isn’t answering right now. Running tasks aren’t lost; they’ll continue once it’s back."
BEING_UPDATED = "This site is being set up or updated. It’ll be back as soon as that’s done, and nothing is lost."
RETRY_AFTER = 5  # seconds
HEADERS = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}


def words_for(error: PeeweeException) -> str:
    """Why the database cannot be used, which the log then says, too. Raises the error where it is no outage."""
    if is_unavailable(error):
        away.failed(error)
        return UNAVAILABLE
    if lack := readiness.lack_behind(error):
        readiness.lacking.failed(lack)
        return BEING_UPDATED
    raise error
