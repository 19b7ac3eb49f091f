"""The ETag of the feed: by it, a request that would learn nothing new is answered without a look at the feed."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl
from zlib import crc32

from flask import Response, current_app, request
from werkzeug.http import parse_etags

from webapp.db.resilience import persistently
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope, as_stored
from webapp.web.api.authentication import token_text
from webapp.web.api.every_answer import HEADERS
from webapp.web.api.resources.notification import SCOPES
from webapp.web.polling import was_asked_before

ENDPOINT: Final = "api.list_notifications"


@dataclass(frozen=True)
class FeedVersion:
    """All that somebody's feed depends on for a token: `changes` of the account, the scopes, and the release.

    An ETag is good for the request that it answered and, if that came to the end of the feed, for the one that goes on
    with its `next`: both learn nothing new as long as nothing changes. So a program sends the ETag that it got last
    along with the `next` that it got last.
    """

    user_id: int
    changes: int
    scopes: frozenset[Scope]
    release: str

    def etag(self, since: str, following: str) -> str:
        """That of an answer to one request, where another is good for that as well; the same if there is none."""
        return f'W/"{self._prefix}-{_mark(since)}-{_mark(following)}"'

    def is_known(self, if_none_match: str, since: str) -> bool:
        """Whether somebody who has these ETags would learn nothing new by this request."""
        etags, mark = parse_etags(if_none_match), _mark(since)
        if etags.star_tag:
            return True
        prefix = f"{self._prefix}-"
        return any(
            tag.startswith(prefix) and mark in tag[len(prefix) :].split("-") for tag in etags.as_set(True) if tag
        )

    @property
    def _prefix(self) -> str:
        return f"{self.user_id}-{self.changes}-{_mark(as_stored(self.scopes.intersection(SCOPES)))}-{self.release}"


def headers_if_known(text: str, release: str, query: str, if_none_match: str) -> dict[str, str] | None:
    """The headers of a 304, if whoever has these ETags would learn nothing new by a request with that query.

    None otherwise, and if the text is not that of a token which may read the feed. One query, compiled. Raises
    PeeweeException.
    """
    found = ApiToken.changes_of(text)
    if found is None or not found[2].intersection(SCOPES):
        return None
    version, since = FeedVersion(*found, release), dict(parse_qsl(query)).get("since", "")
    return headers_of(version.etag(since, since)) if version.is_known(if_none_match, since) else None


def answer_not_modified() -> Response | None:
    """304 if a program would learn nothing new of the feed; None lets the request go its ordinary way.

    One query, and no write. Mostly that was done before a request comes here, by `webapp.web.unchanged`.
    """
    known = request.headers.get("If-None-Match")
    if request.endpoint != ENDPOINT or not known or was_asked_before():
        return None
    text, release = token_text(request.headers.get("Authorization", "")), current_app.config["RELEASE"]
    query = request.environ.get("QUERY_STRING", "")
    headers = persistently(lambda: headers_if_known(text, release, query, known))
    return Response(status=304, headers=headers) if headers else None


def headers_of(etag: str) -> dict[str, str]:
    """The headers by which a program keeps what it got, and asks again whether it is still right."""
    return {"ETag": etag, "Vary": "Authorization", **HEADERS}


def _mark(text: str) -> str:
    return f"{crc32(text.encode('utf-8', 'replace')):08x}"
