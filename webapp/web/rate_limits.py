"""Limits on how often one may try: who is counted together, and guesses of passwords.

They are counted in the database, so all processes share them, and no other server has to be asked.
"""

import hmac
import ipaddress
import time

from flask import Flask, current_app, g, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from peewee import PeeweeException
from werkzeug.exceptions import TooManyRequests

from webapp.models import RateCount
from webapp.models.passwords import hashing_places
from webapp.models.rate_count import Limit, TooMany
from webapp.web.known_browsers import browser_that_knows

STORAGE_URI = "errand://"  # of DatabaseStorage
LARGEST_GROUP = 2**31 - 1  # what a column of the database takes
IPV6_NETWORK_BITS = 64  # bits; the rest of an IPv6 address is for its owner to choose anew at will

# Tries of passwords, right ones, too, as each costs a quarter of a second. A browser that has signed in to an account
# before is counted by that account alone.
TRIES_PER_ADDRESS = parse_many("60 per minute")
TRIES_PER_KNOWN_ACCOUNT = parse_many("60 per minute")
# Guesses: tries that were wrong.
PER_ADDRESS = parse_many("100 per minute; 500 per hour")
PER_ACCOUNT_AT_ADDRESS = parse_many("10 per minute; 100 per hour")
PER_ACCOUNT = parse_many("100 per hour")  # over all addresses
# In place of these three for a browser that has signed in to the account before: an allowance of its own, so nobody
# locks the owner out, neither from everywhere nor from behind the same address.
PER_KNOWN_BROWSER = parse_many("10 per minute; 100 per hour")


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


def network_group() -> int | None:
    """A number below 0 for that network, by which guests share turns in the queue; None if it is not known.

    By a key of the site, so the number alone tells nobody where somebody was. It changes with SECRET_KEY.
    """
    network, key = client_network(), str(current_app.secret_key).encode()
    digest = hmac.digest(key, f"network group/{network}".encode(), "sha256")
    return -1 - int.from_bytes(digest) % LARGEST_GROUP if network else None


class RouteLimiter(Limiter):
    """Limits the views that are decorated with `limit`, which ask by themselves: other requests need not be looked at.

    Whoever is refused is told for how long.

    Not for blueprints and whole apps, whose limits would have to be looked up for every request.
    """

    def init_app(self, app: Flask) -> None:
        """Raises ValueError if a blueprint or the app has a limit, as nobody would ask for it."""
        super().init_app(app)
        limits = self.limit_manager
        if limits._blueprint_limits or limits._default_limits or limits._application_limits:
            raise ValueError("limit each view, and not a blueprint or the app")

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if in_middleware:
            return
        try:
            super()._check_request_limit(callable_name, in_middleware)
        except RateLimitExceeded as error:
            if limit := self.current_limit:
                error.retry_after = max(1, int(limit.reset_at - time.time()))
            raise


limiter = RouteLimiter(client_network)


class PasswordAttempt:
    """One attempt at the password of an account. Create it before checking the password: it is counted at once."""

    def __init__(self, username_key: str) -> None:
        """Count the attempt. Raises TooManyRequests with how long to wait if there were too many.

        Raises HashingBusy, at no cost, if a password could not be looked at now. Where that turns out later, the answer
        to this request takes the guess back.
        """
        hashing_places.demand()
        self._guesses: list[str] = []
        g.attempt = self
        if browser := browser_that_knows(username_key):
            count(TRIES_PER_KNOWN_ACCOUNT, "try of", username_key)
            self._guess(PER_KNOWN_BROWSER, "guess in", browser, username_key)
        else:
            here = client_network()
            count(TRIES_PER_ADDRESS, "try", here)
            self._guess(PER_ADDRESS, "guess", here)
            self._guess(PER_ACCOUNT_AT_ADDRESS, "guess", here, username_key)
            self._guess(PER_ACCOUNT, "guess of", username_key)

    def was_no_guess(self) -> None:
        """Count it as a try alone: the password was right, or could not be looked at."""
        RateCount.take_back(self._guesses)

    def _guess(self, limits: list[RateLimitItem], *who: str) -> None:
        self._guesses += count(limits, *who)


def count(limits: list[RateLimitItem], *who: str) -> list[str]:
    """`RateCount.count`, which raises TooManyRequests beyond a limit, with how long to wait."""
    try:
        return RateCount.count([Limit(limit.amount, limit.get_expiry()) for limit in limits], *who)
    except TooMany as error:
        raise TooManyRequests(retry_after=error.seconds_left) from None
