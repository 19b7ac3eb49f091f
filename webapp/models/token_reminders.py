"""Reminders that API tokens expire soon: once a token, and one mail for all of a person's that are due."""

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
    soonest = ApiToken.select().where(*due).order_by(ApiToken.expires_at).limit(at_once)
    if not soonest.exists():
        return 0
    with database.atomic():
        tokens = list(locking(soonest, skip_locked=True))
        ids = [token.id for token in tokens]
        ApiToken.update(reminded_at=now).where(ApiToken.id.in_(ids)).execute()
        owners = {token.user_id for token in tokens}
        for user in User.select().where(User.id.in_(owners)).order_by(User.id):
            theirs = [token.id for token in tokens if token.user_id == user.id]
            AccountMail.tell(user, "tokens_expire", tokens=theirs)
    return len(tokens)
