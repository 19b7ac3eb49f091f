"""Unchanged polls, answered ahead of Flask: an open page asks every few seconds, and mostly there is nothing new.

What is answered here is exactly what Flask would answer, by `polling.answer_not_modified` and by all that sees a
request before and after that; they share the rules. Whatever is not certain is passed on to Flask, which does not ask
the database again for what was asked here.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_etags
from werkzeug.sansio.utils import get_host

from webapp.lib import logs
from webapp.web import access_log, htmx, polling, security
from webapp.web.session_cookies import SessionCookies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Headers = list[tuple[str, str]]

STATUS = "304 NOT MODIFIED"
METHODS = {"GET", "HEAD"}


def init_app(app: Flask) -> None:
    """Answer unchanged polls ahead of an app. To be called after its routes are added, and before anything else wraps
    it that would have to see every request."""
    app.wsgi_app = UnchangedPolls(app)  # type: ignore[method-assign]


class UnchangedPolls:
    """A WSGI app in front of Flask’s, which is `behind` it."""

    def __init__(self, app: Flask) -> None:
        self._app, self.behind = app, app.wsgi_app
        self._hops = app.config["SETTINGS"].trusted_proxies
        self._cookies = cast(SessionCookies, app.session_interface)
        self._addresses = app.url_map.bind("")
        self._security_headers = {scheme: security.headers_by(app.config, scheme) for scheme in security.SCHEMES}
        self._endpoints = {
            rule.rule: rule.endpoint
            for rule in app.url_map.iter_rules()
            if rule.endpoint in polling.PER_USER_FRAGMENTS and not rule.arguments
        }

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """WSGI's."""
        headers = self.headers_of_304(environ)
        if headers is None:
            return self.behind(environ, start_response)
        start_response(STATUS, headers)
        return []

    def headers_of_304(self, environ: "WSGIEnvironment") -> Headers | None:
        """The headers of the empty 304 that answers this request; None if it is for Flask to answer.

        At most one query, and only for a poll of somebody who is signed in. It raises nothing: what goes wrong is
        raised by Flask, which has a page for it. Of the environ it needs the method, PATH_INFO, the scheme and the
        headers.
        """
        known = environ.get("HTTP_IF_NONE_MATCH")
        if not known or environ["REQUEST_METHOD"] not in METHODS or not self._is_poll(environ):
            return None
        scheme = security.scheme_behind(self._hops, environ)
        if scheme is None or not self._is_let_in(environ, scheme):
            return None
        session_key = self._cookies.session_key(environ.get("HTTP_COOKIE", ""))
        if session_key is None:
            return None
        request_id = access_log.begin(environ)
        version = self._version(environ, session_key)
        logs.unbind()
        if version is None or not (known == f'W/"{version}"' or parse_etags(known).contains_weak(version)):
            return None
        headers = [*polling.headers_of(version).items(), *self._security_headers[scheme]]
        headers.append((access_log.REQUEST_ID_HEADER, request_id))
        return headers

    def _is_poll(self, environ: "WSGIEnvironment") -> bool:
        path = environ.get("PATH_INFO", "")
        is_htmx = htmx.is_sent_by_htmx(environ)
        endpoint = self._endpoints.get(path) or (self._endpoint(path) if is_htmx else "")
        return (
            endpoint in polling.PER_USER_FRAGMENTS
            and not polling.is_page_request(endpoint, is_htmx, environ.get("HTTP_ACCEPT", ""))
            and "HTTP_UPGRADE" not in environ  # no route takes a WebSocket
        )

    def _endpoint(self, path: str) -> str:
        if not path.isascii():
            return ""
        try:
            endpoint: str = self._addresses.match(path, "GET")[0]
        except HTTPException:  # there is none, or another spelling of the path leads to one
            return ""
        return endpoint

    def _is_let_in(self, environ: "WSGIEnvironment", scheme: str) -> bool:
        """Whether Flask would neither refuse nor redirect this request, nor warn of the proxy that it came by."""
        if not self._hops and security.is_warned_of(self._app, environ):
            return False
        if security.is_plain(self._app.config, scheme, environ.get("HTTP_X_FORWARDED_PROTO")):
            return False
        try:
            return security.is_host_of(self._app.config, get_host(scheme, environ["HTTP_HOST"]))
        except (KeyError, ValueError):
            return False

    def _version(self, environ: "WSGIEnvironment", session_key: str) -> str | None:
        """The present version for whom the session belongs to; None if there is nobody, or no answer."""
        try:
            found = polling.look_up(session_key)
        except Exception as error:
            environ[polling.ASKED_ENVIRON] = error
            return None
        environ[polling.ASKED_ENVIRON] = None
        return polling.version_of(self._app.config["RELEASE"], *found) if found else None
