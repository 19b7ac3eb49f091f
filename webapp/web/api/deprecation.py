"""Deprecation: how programs learn that something leaves the API, and the promise that nothing leaves without.

Within a version of the API (`/api/v1`) changes only add: operations, optional members of a body, optional parameters,
members of an answer, values of a state or of the `type` of a problem, and headers. Programs must take no harm from what
they do not know. Nothing that is there changes its meaning, becomes required, or goes, but for what stops an attack.

What is to go is deprecated first, in a release before the one without it, and at least 180 days before: the document
marks it, its answers carry the headers `Deprecation` (RFC 9745), which says since when, and `Sunset` (RFC 8594), which
says from when on it may be gone, and the changelog says what takes its place. Another version would have another path,
and this one would then be deprecated as a whole in the same way.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from werkzeug.http import http_date

from webapp.web.api.operation import Operation

NOTICE: Final = timedelta(days=180)


def deprecation_headers(operation: Operation) -> dict[str, str]:
    """The headers of what is deprecated; none of anything else."""
    found = {}
    if operation.deprecated:
        found["Deprecation"] = f"@{int(_midnight(operation.deprecated))}"
    if operation.sunset:
        found["Sunset"] = http_date(_midnight(operation.sunset))
    return found


def _midnight(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
