"""What mails about API tokens say: read as they are sent, as a token may be gone or revoked by then."""

from collections.abc import Mapping
from typing import Any

from webapp.lib.i18n import ngettext
from webapp.models import AccountMail, ApiToken
from webapp.models.scopes import SCOPES

MOST_NAMED = 25  # tokens in a mail


def about_token(mail: AccountMail) -> Mapping[str, Any] | None:
    """The token that a mail is about, and what it may do; None if it is gone. One query."""
    token = ApiToken.find(mail.user, mail.arguments["token"]) if mail.user else None
    if token is None:
        return None
    return {"token": token, "scopes": [row.words for scope, row in SCOPES.items() if scope in token.scopes]}


def about_expiring(mail: AccountMail) -> Mapping[str, Any] | None:
    """Those that are to expire, the next ones first; None if all are revoked by now, or have expired. One query."""
    if mail.user is None:
        return None
    soonest = ApiToken.live_of(mail.user).where(ApiToken.id.in_(mail.arguments["tokens"])).order_by(ApiToken.expires_at)
    due = list(soonest.limit(MOST_NAMED))
    words = ngettext("This token expires soon:", "These tokens expire soon:", len(due))
    return {"tokens": due, "words": words} if due else None


def live_of(mail: AccountMail) -> list[ApiToken]:
    """Those of the account that are of use. One query."""
    return list(ApiToken.live_of(mail.user).limit(MOST_NAMED)) if mail.user else []
