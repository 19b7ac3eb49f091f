"""The doors at which unchanged polls are answered ahead of Flask: fragments of open pages, and the feed of the API."""

from typing import TYPE_CHECKING, Final, Protocol, cast

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_etags

from webapp.db.resilience import persistently
from webapp.web import htmx, polling
from webapp.web.api import feed
from webapp.web.api.authentication import token_text
from webapp.web.session_cookies import SessionCookies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Door(Protocol):
    """One kind of poll: which requests it answers, what shows who asks, and what it says to whoever knows all."""

    def is_for(self, environ: "WSGIEnvironment") -> bool:
        """Whether this is such a request, if its method is right. No query."""

    def key_in(self, environ: "WSGIEnvironment") -> str | None:
        """What shows who asks; none if the request has nothing of the kind. No query."""

    def headers_if_known(self, key: str, environ: "WSGIEnvironment", known: str) -> dict[str, str] | None:
        """The headers of a 304 if whoever has the ETags `known` would learn nothing new. One query. May raise."""


class FragmentDoor:
    """For `polling.answer_not_modified`: the fragments of somebody's open pages, by their session."""

    def __init__(self, app: Flask) -> None:
        self._config = app.config
        self._cookies = cast(SessionCookies, app.session_interface)
        self._addresses = app.url_map.bind("")
        self._endpoints = {
            rule.rule: rule.endpoint
            for rule in app.url_map.iter_rules()
            if rule.endpoint in polling.PER_USER_FRAGMENTS and not rule.arguments
        }

    def is_for(self, environ: "WSGIEnvironment") -> bool:
        """Whether it is a fragment, and asked for by a poll."""
        path = environ.get("PATH_INFO", "")
        is_htmx = htmx.is_sent_by_htmx(environ)
        endpoint = self._endpoints.get(path) or (self._endpoint(path) if is_htmx else "")
        return endpoint in polling.PER_USER_FRAGMENTS and not polling.is_page_request(
            endpoint, is_htmx, environ.get("HTTP_ACCEPT", "")
        )

    def key_in(self, environ: "WSGIEnvironment") -> str | None:
        """The key of the session."""
        return self._cookies.session_key(environ.get("HTTP_COOKIE", ""))

    def headers_if_known(self, key: str, environ: "WSGIEnvironment", known: str) -> dict[str, str] | None:
        """Those of the fragment."""
        found = polling.look_up(key)
        version = polling.version_of(self._config["RELEASE"], *found) if found else None
        is_known = version and (known == f'W/"{version}"' or parse_etags(known).contains_weak(version))
        return polling.headers_of(version) if version and is_known else None

    def _endpoint(self, path: str) -> str:
        if not path.isascii():
            return ""
        try:
            endpoint: str = self._addresses.match(path, "GET")[0]
        except HTTPException:  # there is none, or another spelling of the path leads to one
            return ""
        return endpoint


class FeedDoor:
    """For `feed.answer_not_modified`: the feed of notifications, by the token of a program."""

    def __init__(self, app: Flask) -> None:
        self._config = app.config
        self._paths = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == feed.ENDPOINT}

    def is_for(self, environ: "WSGIEnvironment") -> bool:
        """Whether it is the feed."""
        return environ.get("PATH_INFO", "") in self._paths

    def key_in(self, environ: "WSGIEnvironment") -> str | None:
        """The text of the token."""
        return token_text(environ.get("HTTP_AUTHORIZATION", ""))

    def headers_if_known(self, key: str, environ: "WSGIEnvironment", known: str) -> dict[str, str] | None:
        """Those of the feed."""
        query = environ.get("QUERY_STRING", "")
        return persistently(lambda: feed.headers_if_known(key, self._config["RELEASE"], query, known))


DOORS: Final = (FragmentDoor, FeedDoor)
