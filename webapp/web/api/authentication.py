"""Who asks: the token in the header of a request, and the account it belongs to. Cookies count for nothing here."""

from typing import Final

from flask import Flask, g, request
from flask_login import AnonymousUserMixin

from webapp.lib import logs
from webapp.models.api_token import ApiToken
from webapp.models.permissions import may
from webapp.models.scopes import SCOPES, Scope
from webapp.web.api.operation import Access, Operation
from webapp.web.api.problems import INSUFFICIENT_SCOPE, SUSPENDED, UNAUTHORIZED, Problem
from webapp.web.api.rate_limits import count_request, count_without_token
from webapp.web.api_paths import is_api_path
from webapp.web.clients import coarse_network
from webapp.web.presenters.suspension_words import suspended_words

SCHEME: Final = "Bearer"
REALM: Final = 'Bearer realm="Errand"'
HOW_TO_SEND: Final = "Send a token, as the header “Authorization: Bearer errand_pat_…”."


def init_app(app: Flask) -> None:
    """Have no cookie count in a request to the API. To be called before what asks who is signed in."""
    app.before_request(_forget_cookies)


def _forget_cookies() -> None:
    if is_api_path(request.path):
        g._login_user = AnonymousUserMixin()  # where Flask-Login looks first


def authenticate(operation: Operation) -> ApiToken | None:
    """The token of this request; None where none is needed. Its account counts as signed in from now on. One query.

    Raises Problem: 401 without a token that is good, 429 where too many ask, 403 if it lacks the scope, or its account
    is suspended.
    """
    if operation.allows is Access.PUBLIC:
        count_without_token()
        return None
    token = _token()
    user = token.user
    g._login_user = user
    logs.bind(user_id=user.id, token_id=token.id)
    count_request(operation.rate, user)
    if user.is_suspended:
        raise Problem(SUSPENDED, suspended_words(user))
    token.used(coarse_network())
    if operation.scopes and not _is_allowed(operation, token):
        raise insufficient_scope(*operation.own_scopes)
    return token


def reaches_others(token: ApiToken | None, scope: Scope) -> bool:
    """Whether a token and the role of its account reach other people's things by a scope of the desk. No query."""
    needs = SCOPES[scope].needs
    return bool(needs and token and scope in token.scopes and may(token.user, needs))


def token_text(authorization: str) -> str:
    """The text of a token in a header; empty if it has none. It may be that of no token."""
    scheme, _, text = authorization.partition(" ")
    return text.strip() if scheme.lower() == SCHEME.lower() else ""


def insufficient_scope(*scopes: Scope) -> Problem:
    """What is said of a token that has none of these scopes."""
    scope = " ".join(scopes)
    header = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    words = f"This needs a token with the scope {' or '.join(f'“{each}”' for each in scopes)}."
    return Problem(INSUFFICIENT_SCOPE, words, headers={"WWW-Authenticate": header}, more={"scope": scope})


def _is_allowed(operation: Operation, token: ApiToken) -> bool:
    """Who reaches everybody's things reaches their own as well."""
    if not token.scopes.isdisjoint(operation.own_scopes):
        return True
    return operation.desk is not None and reaches_others(token, operation.desk)


def _token() -> ApiToken:
    text = token_text(request.headers.get("Authorization", ""))
    if not text:
        raise Problem(UNAUTHORIZED, HOW_TO_SEND, headers={"WWW-Authenticate": REALM})
    token = ApiToken.by_text(text)
    if token is None:
        count_without_token()
        header = f'{REALM}, error="invalid_token"'
        raise Problem(UNAUTHORIZED, "The token is unknown, revoked or expired.", headers={"WWW-Authenticate": header})
    return token
