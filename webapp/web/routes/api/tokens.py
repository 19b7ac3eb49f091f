"""Tokens themselves: what the one that asks may do, and the end of one, also of one that somebody has found."""

from typing import Final

from limits import parse_many

from webapp.models import ApiToken
from webapp.models.scopes import SCOPES
from webapp.web.api.call import Call
from webapp.web.api.etags import tagged
from webapp.web.api.operation import Access, Answer, Rate, operation
from webapp.web.api.resource import INTEGER, STRING, TIME, Field, Resource, Schema, array, nullable, time
from webapp.web.rate_limits import client_network, count
from webapp.web.security_log import Event, record

PER_NETWORK: Final = parse_many("30 per minute; 300 per hour")
FOUND: Final[Schema] = {
    "type": "object",
    "properties": {"token": STRING | {"description": "The whole token."}},
    "required": ["token"],
    "additionalProperties": False,
}
TOKEN = Resource[ApiToken](
    "Token",
    "A token, without its text.",
    (
        Field("id", INTEGER, lambda token: token.id),
        Field("name", STRING, lambda token: token.name),
        Field("last_four", STRING, lambda token: token.last_four, "The end of its text."),
        Field("scopes", array(STRING), lambda token: [scope for scope in SCOPES if scope in token.scopes]),
        Field("created_at", TIME, lambda token: time(token.created_at)),
        Field("expires_at", TIME, lambda token: time(token.expires_at)),
        Field("last_used_at", nullable(TIME), lambda token: time(token.last_used_at), "To five minutes."),
    ),
)


@operation("GET", "/tokens/current", allows=Access.TOKEN, answers={200: TOKEN, 304: None})
def show_token(call: Call) -> Answer:
    """The token that you send."""
    return tagged(TOKEN, _token_of(call))


@operation("DELETE", "/tokens/current", allows=Access.TOKEN, answers={204: None}, rate=Rate.WRITE)
def revoke_token(call: Call) -> Answer:
    """Revoke the token that you send.

    From then on it is of no use. It can’t be undone.
    """
    token = _token_of(call)
    if token.revoke():
        record(Event.TOKEN_REVOKED, call.user, token_id=token.id)
    return Answer(status=204)


@operation("POST", "/token-revocations", allows=Access.PUBLIC, answers={202: None}, body=FOUND, rate=Rate.WRITE)
def revoke_found_token(call: Call) -> Answer:
    """Revoke a token that you have found.

    You need no token of your own. If it is one of this site and still good, it is of no use from then on, and its owner
    is told by email. The answer is the same for any text.
    """
    count(PER_NETWORK, "token revocation", client_network())
    token = ApiToken.revoke_by_text(call.body["token"].strip())
    if token:
        record(Event.TOKEN_REVOKED, token.user, token_id=token.id, found=1)
    return Answer(status=202)


def _token_of(call: Call) -> ApiToken:
    assert call.token
    return call.token
