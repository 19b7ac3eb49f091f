"""Limits on how often one may try: who is counted together, and guesses of passwords.

They are counted in the database, so all processes share them, and no other server has to be asked.
"""

import ipaddress
from hashlib import sha256
from typing import Any

from flask import Flask, after_this_request, current_app, request
from flask_limiter import Limiter
from itsdangerous import BadSignature, URLSafeSerializer
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from peewee import PeeweeException
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from webapp.models import RateCount, User
from webapp.web.security import YEAR

STORAGE_URI = "errand://"  # of DatabaseStorage
DEVICE_COOKIE = "errand-known"
MAX_ACCOUNTS_REMEMBERED = 5  # accounts of one browser
IPV6_NETWORK_BITS = 64  # bits; the rest of an IPv6 address is for its owner to choose anew at will

PER_ADDRESS = parse_many("100 per minute; 500 per hour")
PER_ACCOUNT_AT_ADDRESS = parse_many("10 per minute; 100 per hour")
# Over all addresses. Not for browsers that have signed in to the account before, whom nobody shall lock out.
PER_ACCOUNT = parse_many("100 per hour")


class DatabaseStorage(Storage):
    """Where Flask-Limiter counts."""

    STORAGE_SCHEME = [STORAGE_URI.partition(":")[0]]

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong here."""
        return PeeweeException

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; returns the number."""
        return RateCount.add(key, expiry, amount)

    def get(self, key: str) -> int:
        """The number."""
        found = RateCount.find(key)
        return found.number if found else 0

    def get_expiry(self, key: str) -> float:
        """Until when it counts, in seconds since 1970."""
        found = RateCount.find(key)
        return found.until if found else 0.0

    def check(self) -> bool:
        """Whether it works."""
        RateCount.find("")
        return True

    def reset(self) -> int:
        """Forget all counts; returns how many."""
        return int(RateCount.delete().execute())

    def clear(self, key: str) -> None:
        """Forget one."""
        RateCount.forget(key)


def client_network() -> str:
    """Who is counted together: an IPv4 address, or all IPv6 addresses of one network (RFC 6177)."""
    try:
        found = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, IPV6_NETWORK_BITS), strict=False))
    return str(found)


class RouteLimiter(Limiter):
    """Limits the views that are decorated with `limit`, which ask by themselves: other requests need not be looked at.

    Not for blueprints and whole apps, whose limits would have to be looked up for every request.
    """

    def init_app(self, app: Flask) -> None:
        """Raises ValueError if a blueprint or the app has a limit, as nobody would ask for it."""
        super().init_app(app)
        limits = self.limit_manager
        if limits._blueprint_limits or limits._default_limits or limits._application_limits:
            raise ValueError("limit each view, and not a blueprint or the app")

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


limiter = RouteLimiter(client_network)


class PasswordAttempt:
    """One attempt at the password of an account. Create it before checking the password: it is counted at once."""

    def __init__(self, username_key: str) -> None:
        """Count the attempt. Raises TooManyRequests with how long to wait if there were too many."""
        self._counted: list[str] = []
        here = client_network()
        self._count(PER_ADDRESS, "guess", here)
        self._count(PER_ACCOUNT_AT_ADDRESS, "guess", here, username_key)
        if username_key not in _remembered_accounts():
            self._count(PER_ACCOUNT, "guess of", username_key)

    def succeeded(self, user: User) -> None:
        """The password was right: count nothing, and remember that this browser knows the account."""
        for key in self._counted:
            RateCount.add(key, 1, -1)
        if not user.is_guest:
            _remember(user.username_key)

    def _count(self, limits: list[RateLimitItem], *who: str) -> None:
        for limit in limits:
            key = limit.key_for(*who)
            if RateCount.add(key, limit.get_expiry()) > limit.amount:
                found = RateCount.find(key)
                raise TooManyRequests(retry_after=found.seconds_left if found else None)
            self._counted.append(key)


# Browsers that have signed in before (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies)


def _cookie_name() -> str:
    return f"__Host-{DEVICE_COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else DEVICE_COOKIE


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], "errand.known", signer_kwargs={"digest_method": sha256})


def _remembered_accounts() -> list[str]:
    """The accounts that were signed in to from this browser, by their names' keys."""
    try:
        found: Any = _signer().loads(request.cookies.get(_cookie_name(), ""))
    except BadSignature:
        return []
    return [str(key) for key in found]


def _remember(username_key: str) -> None:
    known = [username_key, *(key for key in _remembered_accounts() if key != username_key)][:MAX_ACCOUNTS_REMEMBERED]

    @after_this_request
    def set_cookie(response: Response) -> Response:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(
            _cookie_name(), _signer().dumps(known), max_age=YEAR, secure=secure, httponly=True, samesite="Lax"
        )
        return response
