"""Reminders that API tokens expire soon: once a token, and one mail for all of a person's that are due."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from peewee import ModelSelect

from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.account_mail import AccountMail
from webapp.models.api_token import REMIND_BEFORE, ApiToken
from webapp.models.user import User


def remind_of_tokens(at_once: int) -> int:
    """Have the owners of at most so many tokens mailed that these expire within REMIND_BEFORE; returns how many tokens.

    Those without an address are not told, nor asked about again. One small query, by index, where none is due.
    """
    now = utcnow()
    due = ApiToken.reminded_at.is_null(), ApiToken.expires_at > now, ApiToken.expires_at <= now + REMIND_BEFORE
    soonest = ApiToken.select(ApiToken.id).where(*due).order_by(ApiToken.expires_at).limit(at_once)
    if not soonest.exists():
        return 0
    with database.atomic():
        taken = _take(soonest, now)
        for user in User.select().where(User.id.in_(list(taken))).order_by(User.id):
            AccountMail.tell(user, "tokens_expire", tokens=taken[user.id])
    return sum(map(len, taken.values()))


def _take(soonest: "ModelSelect[ApiToken]", now: datetime) -> dict[int, list[int]]:
    """The ids of these tokens by their owners, but for those that another sweeper has taken meanwhile."""
    free = ApiToken.id.in_(locking(soonest, skip_locked=True)) & ApiToken.reminded_at.is_null()
    update: Any = ApiToken.update(reminded_at=now).where(free).returning(ApiToken.id, ApiToken.user)
    taken: dict[int, list[int]] = defaultdict(list)
    for token in update.execute():
        taken[token.user_id].append(token.id)
    return taken
