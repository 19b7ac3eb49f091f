"""Unchanged polls, answered ahead of Flask: an open page, or a program, asks every few seconds, and mostly there is
nothing new.

What is answered here is exactly what Flask would answer, by `answer_not_modified` of a door and by all that sees a
request before and after that; they share the rules. Whatever is not certain is passed on to Flask, which does not ask
the database again for what was asked here.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.sansio.utils import get_host

from webapp.lib import logs
from webapp.web import access_log, polling, security
from webapp.web.unchanged_doors import DOORS, Door

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
        self._security_headers = {scheme: security.headers_by(app.config, scheme) for scheme in security.SCHEMES}
        self._doors: list[Door] = [door(app) for door in DOORS]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """WSGI's."""
        headers = self.headers_of_304(environ)
        if headers is None:
            return self.behind(environ, start_response)
        start_response(STATUS, headers)
        return []

    def headers_of_304(self, environ: "WSGIEnvironment") -> Headers | None:
        """The headers of the empty 304 that answers this request; None if it is for Flask to answer.

        At most one query, and only for a poll of somebody who shows who they are. It raises nothing: what goes wrong is
        raised by Flask, which has a page for it. Of the environ it needs the method, PATH_INFO, the scheme and the
        headers; and QUERY_STRING for the feed.
        """
        known = environ.get("HTTP_IF_NONE_MATCH")
        if not known or environ["REQUEST_METHOD"] not in METHODS or "HTTP_UPGRADE" in environ:  # none of them upgrades
            return None
        door = next((door for door in self._doors if door.is_for(environ)), None)
        scheme = security.scheme_behind(self._hops, environ) if door else None
        if door is None or scheme is None or not self._is_let_in(environ, scheme):
            return None
        key = door.key_in(environ)
        if not key:
            return None
        request_id = access_log.begin(environ)
        said = self._headers_if_known(door, key, environ, known)
        logs.unbind()
        if said is None:
            return None
        more = [header for header in self._security_headers[scheme] if header[0] not in said]
        return [*said.items(), *more, (access_log.REQUEST_ID_HEADER, request_id)]

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

    def _headers_if_known(self, door: Door, key: str, environ: "WSGIEnvironment", known: str) -> dict[str, str] | None:
        """What a door says if whoever asks has the present version; None if not, if they are nobody, or no answer."""
        try:
            said = door.headers_if_known(key, environ, known)
        except Exception as error:
            environ[polling.ASKED_ENVIRON] = error
            return None
        environ[polling.ASKED_ENVIRON] = None
        return said
