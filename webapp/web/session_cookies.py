"""Session cookies: what a cookie of ours says, for Flask's sessions and for what is answered ahead of Flask."""

import threading
import time
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode
from werkzeug.sansio.http import parse_cookie

from webapp.web.api_paths import is_api_path

USER_KEY = "_user_id"  # where Flask-Login keeps the account's key
SESSION_KEY = "_session"
REMEMBER_KEY = "_remember"  # with it, Flask-Login writes the session at the next answer
MOST_VERIFIED = 8192  # cookies, in each process; some 800 bytes each
LONGEST_VERIFIED = 512  # characters; a longer cookie is verified anew with each request
MOST_HEADERS = 2048  # in which a cookie was found, in each process; of at most so many characters
LONGEST_HEADER = 1024

Content: TypeAlias = Any  # a dict, if it was this site that wrote it
Verified = tuple[Content, int]  # and when it was signed, in seconds since 1970
Known = TypeVar("Known")


def init_app(app: Flask) -> None:
    """Have an app read its sessions by a SessionCookies. To be called once its cookie has a name and a key."""
    app.session_interface = SessionCookies(app)


class SessionCookies(SecureCookieSessionInterface):
    """Flask's sessions in signed cookies, which also tells whose a session is where there is no request of Flask's.

    To verify a cookie takes as long as some answers, so those that were right are remembered, the oldest first to go;
    the age is looked at each time. A cookie that only means the same as another, by a signature spelled differently, is
    not: to fill this memory, somebody has to have the site sign as many cookies. Any thread may ask.
    """

    def __init__(self, app: Flask) -> None:
        serializer = super().get_signing_serializer(app)
        assert serializer, "without a secret key there are no sessions"
        self._serializer = serializer
        self._name = self.get_cookie_name(app)
        self._lifetime = int(app.permanent_session_lifetime.total_seconds())
        self._verified: dict[str, Verified] = {}
        self._headers: dict[str, str] = {}  # the cookie in each, as to find it takes longer than to look it up here
        self._lock = threading.Lock()

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        """Flask's, made once."""
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """The session of a request; an empty one if its cookie is not ours, or is too old, and for the API."""
        if is_api_path(request.path):
            return self.session_class()
        return self.session_class(self._content(request.cookies.get(self._name)))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie where the session has changed; never to a program."""
        if not is_api_path(request.path):
            super().save_session(app, session, response)

    def session_key(self, header: str) -> str | None:
        """The session key in a Cookie header; None if nobody is signed in by it, or if only Flask can tell."""
        cookie = self._headers.get(header) or parse_cookie(header).get(self._name)
        content = self._content(cookie)
        if not isinstance(content, dict) or REMEMBER_KEY in content:
            return None
        if cookie in self._verified and len(header) <= LONGEST_HEADER:
            self._remember(self._headers, header, cookie, MOST_HEADERS)
        return key_in(content)

    def _content(self, cookie: str | None) -> Content:
        """What a cookie says, not to be changed; None for nothing that counts."""
        if not cookie:
            return None
        found = self._verified.get(cookie) or self._verify(cookie)
        if found is None:
            return None
        content, signed_at = found
        return content if 0 <= int(time.time()) - signed_at <= self._lifetime else None

    def _verify(self, cookie: str) -> Verified | None:
        try:
            content, signed_at = self._serializer.loads(cookie, return_timestamp=True)
        except BadData:
            return None
        found = content, int(signed_at.timestamp())
        if len(cookie) <= LONGEST_VERIFIED and _is_flat(content) and _is_canonical(cookie):
            self._remember(self._verified, cookie, found, MOST_VERIFIED)
        return found

    def _remember(self, known: dict[str, Known], text: str, found: Known, most: int) -> None:
        if text in known:
            return
        with self._lock:
            if len(known) >= most:
                del known[next(iter(known))]
            known[text] = found


def key_in(session: Mapping[str, Any]) -> str | None:
    """The key of the session that a cookie says, None if nobody is signed in by it, or by the release before."""
    key = session.get(SESSION_KEY) if USER_KEY in session else None
    return key if isinstance(key, str) else None


def _is_flat(content: Content) -> bool:
    """Whether a copy of it shares nothing that a request might change."""
    return isinstance(content, dict) and all(isinstance(value, str | int | None) for value in content.values())


def _is_canonical(cookie: str) -> bool:
    """Whether the signature is spelled as we spell it: its last character has spare bits, and Base64 skips others."""
    signature = cookie.rpartition(".")[2]
    return base64_encode(base64_decode(signature)).decode() == signature
