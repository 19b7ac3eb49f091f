"""The tokens of this world, for programs that nobody here needs to see run: one that is used, and one that expired."""

from datetime import datetime, timedelta
from typing import Any

from webapp.dev.account_factories import make_api_token
from webapp.dev.demo.people import PEOPLE, People
from webapp.lib.times import utcnow
from webapp.models import AccountMail, User
from webapp.models.api_token import REMIND_BEFORE, ApiToken
from webapp.models.scopes import Scope

LIVE, EXPIRED = "Home server", "Old laptop"
READING = Scope.TASKS_READ, Scope.ARTIFACTS_READ
NETWORK = "203.0.113.0/24"  # of an example, see RFC 5737


def give_tokens(people: People, now: datetime) -> None:
    """A live token and an expired one for everybody who has been here for long, made as they would have been."""
    for number, name in enumerate(PEOPLE):
        person, later = people[name], timedelta(hours=7 * number)
        used = now - timedelta(minutes=16 + 11 * number)
        _make(person, LIVE, now - timedelta(days=12) - later, used, 90, *READING, Scope.TASKS_WRITE)
        long_ago = now - timedelta(days=38) - later
        _make(person, EXPIRED, long_ago, long_ago + timedelta(days=22), 30, *READING)
        AccountMail.settle_mail(person)  # that was long ago


def _make(person: User, name: str, made: datetime, used: datetime, days: int, *scopes: Scope) -> None:
    token, _ = make_api_token(person, *scopes, name=name, days=days)
    ends = made + timedelta(days=days)
    said: dict[Any, Any] = {ApiToken.created_at: made, ApiToken.expires_at: ends, ApiToken.last_used_at: used}
    reminded = ends - REMIND_BEFORE if ends < utcnow() else None
    said |= {ApiToken.last_network: NETWORK, ApiToken.reminded_at: reminded}
    ApiToken.update(said).where(ApiToken.id == token.id).execute()
