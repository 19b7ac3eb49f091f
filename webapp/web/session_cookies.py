"""Session cookies: whose session a Cookie header carries, read as Flask reads it but without a request of Flask's."""

import threading
import time

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode
from werkzeug.sansio.http import parse_cookie

USER_KEY = "_user_id"  # where Flask-Login keeps the session key
REMEMBER_KEY = "_remember"  # with it, Flask-Login writes the session at the next answer
MOST_VERIFIED = 8192  # cookies, in each process; some 600 bytes each
LONGEST_VERIFIED = 512  # characters; a longer cookie is verified anew with each request


class SessionCookies:
    """Reads the session cookies of an app. Any thread may ask.

    To verify a cookie takes 20 us, so those that were right are remembered, oldest first to go. A cookie that only
    means the same as another, by a signature spelled differently, is not: to fill this memory, somebody has to have
    the site sign as many cookies. The age is looked at each time.
    """

    def __init__(self, app: Flask) -> None:
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer, "an app without a secret key has no sessions"
        self._serializer: URLSafeTimedSerializer = serializer
        self._name = app.config["SESSION_COOKIE_NAME"]
        self._lifetime = int(app.permanent_session_lifetime.total_seconds())
        self._verified: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def session_key(self, header: str) -> str | None:
        """The session key in a Cookie header; None if nobody is signed in by it, or if only Flask can tell."""
        cookie = parse_cookie(header).get(self._name)
        if not cookie:
            return None
        found = self._verified.get(cookie) or self._verify(cookie)
        if found is None:
            return None
        key, signed_at = found
        return key if 0 <= int(time.time()) - signed_at <= self._lifetime else None

    def _verify(self, cookie: str) -> tuple[str, int] | None:
        """The session key in a cookie that we have signed, and when, in seconds since 1970."""
        try:
            content, signed_at = self._serializer.loads(cookie, return_timestamp=True)
        except BadData:
            return None
        key = content.get(USER_KEY) if isinstance(content, dict) and REMEMBER_KEY not in content else None
        if not key or not isinstance(key, str):
            return None
        found = key, int(signed_at.timestamp())
        if len(cookie) <= LONGEST_VERIFIED and _is_canonical(cookie):
            self._remember(cookie, found)
        return found

    def _remember(self, cookie: str, found: tuple[str, int]) -> None:
        with self._lock:
            if len(self._verified) >= MOST_VERIFIED:
                del self._verified[next(iter(self._verified))]
            self._verified[cookie] = found


def _is_canonical(cookie: str) -> bool:
    """Whether the signature is spelled as we spell it: its last character has spare bits, and Base64 skips others."""
    signature = cookie.rpartition(".")[2]
    return base64_encode(base64_decode(signature)).decode() == signature
