"""The variables of error reports: whom errors are mailed to, or the Sentry that gets them instead."""

import re
from typing import TypedDict
from urllib.parse import urlsplit

from webapp.lib.environment import Reader
from webapp.lib.mail_variables import ADDRESS

MOST_ADMINS = 10  # each gets a mail of their own
PROJECT = re.compile(r"/(?:.*/)?\d+")  # of a DSN's path


class ErrorReportSettings(TypedDict):
    """The settings of error reports by their names."""

    admins: tuple[str, ...]
    sentry_dsn: str | None


def read_error_reports(read: Reader) -> ErrorReportSettings:
    """Each setting of error reports by its name; remembers as problems what cannot work."""
    return {"admins": _admins(read), "sentry_dsn": _sentry_dsn(read)}


def _admins(read: Reader) -> tuple[str, ...]:
    admins = tuple(dict.fromkeys(name for part in read.text("ADMINS").split(",") if (name := part.strip())))
    if wrong := [name for name in admins if not ADDRESS.fullmatch(name) or set(name) & set('<>"()')]:
        example = "ann@example.com,bob@example.com"
        read.problem("ADMINS", f"must be email addresses separated by commas, like {example}, not {wrong[0][:40]!r}")
    elif len(admins) > MOST_ADMINS:
        read.problem("ADMINS", f"must have at most {MOST_ADMINS} addresses: use that of a mailing list")
    return admins


def _sentry_dsn(read: Reader) -> str | None:
    what = "the DSN of a Sentry project, like https://key@sentry.example/1"
    dsn = read.address("SENTRY_DSN", ("https", "http"), what)
    parts = urlsplit(dsn)
    if dsn and not (parts.username and parts.hostname and PROJECT.fullmatch(parts.path)):
        read.problem("SENTRY_DSN", f"must be {what}")  # which repeats no part of it
        return None
    return dsn or None
