"""Rate limits of the API: by account, over all of its tokens; and by network where there is no good token.

Their numbers are quotas. Each answer says how it stands, as draft-ietf-httpapi-ratelimit-headers-11 has it.
"""

from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, current_app, g

from webapp.lib.complete import complete
from webapp.lib.quota_variables import MINUTE, Quota
from webapp.models import User
from webapp.models.quota_words import refusal
from webapp.models.quotas import most_of
from webapp.models.rate_draws import RateDraws, Standing
from webapp.web.api.operation import Rate
from webapp.web.api.problems import RATE_LIMITED, Problem
from webapp.web.rate_limits import client_network
from webapp.web.security_log import Event, record

QUOTAS: Final[Mapping[Rate, Quota]] = complete(
    "QUOTAS",
    Rate,
    {Rate.READ: Quota.API_READS, Rate.WRITE: Quota.API_WRITES, Rate.LAUNCH: Quota.API_LAUNCHES},
)
WITHOUT_TOKEN: Final = "without-token"  # noqa: S105 - the name of a policy
EXTENSION: Final = "errand api draws"


def init_app(app: Flask) -> None:
    """Let an app count."""
    app.extensions[EXTENSION] = RateDraws()


def count_request(rate: Rate, user: User) -> None:
    """Count a request of an account’s. Raises Problem (429) beyond the limit, at the cost of no query.

    One write for some thirty requests; where that would have to wait, a read is let by, and counted later.
    """
    _count(QUOTAS[rate], rate.value, f"user/{user.id}", user, waits=rate is not Rate.READ)


def count_without_token() -> None:
    """Count a request that has no good token, by the network that it comes from, as a read. Raises Problem (429)."""
    _count(Quota.API_WITHOUT_TOKEN, WITHOUT_TOKEN, f"network/{client_network()}", waits=False)


def add_headers(response: Response) -> None:
    """Say how it stands, if this request was counted."""
    if found := g.get("api_rate"):
        policy, most, standing = found
        response.headers["RateLimit-Policy"] = f'"{policy}";q={most};w={MINUTE}'
        # Whoever is to come back in a moment need not wait for the window: then its end is not said, as it may be left
        # out, and the draft wants no Retry-After to be earlier.
        comes_back = response.headers.get("Retry-After", type=int)
        is_earlier = comes_back is not None and comes_back < standing.seconds_left
        until = "" if is_earlier else f";t={standing.seconds_left}"
        response.headers["RateLimit"] = f'"{policy}";r={standing.left}{until}'


def _count(quota: Quota, policy: str, who: str, user: User | None = None, *, waits: bool) -> None:
    most = most_of(quota, user)
    if most is None:
        return
    draws: RateDraws = current_app.extensions[EXTENSION]
    standing = draws.count(f"api/{quota}/{who}", most, MINUTE, waits=waits)
    g.api_rate = policy, most, standing
    if not standing.is_within:
        _refuse(quota, policy, most, standing, user)


def _refuse(quota: Quota, policy: str, most: int, standing: Standing, user: User | None) -> None:
    record(Event.RATE_LIMITED, user, policy=policy)
    words = refusal(quota, most, standing.seconds_left).words()
    headers = {"Retry-After": str(standing.seconds_left)}
    raise Problem(RATE_LIMITED, words, headers=headers, more={"violated-policies": [policy]})
