"""Call: one request to the API, as an operation sees it; and how any operation is carried out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, jsonify, make_response, request
from werkzeug.wrappers import Response as BaseResponse

from webapp.models import User
from webapp.models.api_token import ApiToken
from webapp.models.audit import why
from webapp.models.scopes import Scope
from webapp.web.api.authentication import authenticate
from webapp.web.api.idempotency import digest_of, do_once, replay, sent_key
from webapp.web.api.json_body import IN_THE_BODY, read_json
from webapp.web.api.multipart import demand_multipart, is_multipart, read_form
from webapp.web.api.operation import OPERATIONS, Answer, Once, Operation
from webapp.web.api.parameters import read_query
from webapp.web.api.problems import INVALID, PRECONDITION_FAILED, Fault, Problem

NO_BODY: Final = "GET takes no body. Parameters go into the address, as in ?limit=50."
HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
CHANGED: Final = "It has changed since you read it."


@dataclass
class Call:
    """What is asked for: by whom, with which values in the query, and with which body."""

    operation: Operation
    token: ApiToken | None
    query: dict[str, Any]
    body: Any
    refused: Callable[[str], None] | None = None  # told why, if the call fails, once all of it is undone

    @property
    def user(self) -> User:
        """Whose token it is. Only where one is needed."""
        assert self.token, f"{self.operation.name} is public"
        return self.token.user

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the token is for; nothing without one."""
        return self.token.scopes if self.token else frozenset()

    def demand_match(self, etag: str) -> None:
        """Raise Problem (412) if the request is only for another version than this, by If-Match."""
        if request.if_match and not request.if_match.contains(etag):
            raise Problem(PRECONDITION_FAILED, CHANGED, headers={"ETag": f'"{etag}"'})


def add_routes(blueprint: Blueprint) -> None:
    """Add a route for each row of the table."""
    for operation in OPERATIONS.values():
        blueprint.add_url_rule(operation.rule, operation.name, _carry_out(operation), methods=[operation.method])


def _carry_out(operation: Operation) -> Callable[..., BaseResponse]:
    def carry_out(**path: Any) -> BaseResponse:
        token = authenticate(operation)
        query = read_query(operation.query, request.args)
        call = Call(operation, token, query, _body(operation))
        try:
            return _respond(_answer(call, lambda: operation.view(call, **path)))
        except Exception as error:
            if call.refused:
                call.refused(why(error))
            raise

    return carry_out


def _body(operation: Operation) -> Any:
    if operation.method == "GET" and request.stream.read(1):
        raise Problem(INVALID, IN_THE_BODY, [Fault(NO_BODY, pointer="")])
    if not operation.body:
        return None
    if not operation.takes_json:
        demand_multipart()
        return None
    if operation.takes_files and is_multipart():
        return read_form(operation.body)
    return read_json(operation.body, operation.may_lack_body)


def _answer(call: Call, view: Callable[[], Any]) -> Answer | BaseResponse:
    """What an operation answers: once for each key, where it has `once` and the request has a key."""
    key = sent_key() if call.operation.once else None
    if key is None:
        answer = view()
        return answer() if call.operation.once is Once.LATER else answer
    digest = digest_of(call.body)
    if answer := replay(call.user, key, digest):
        return answer
    return do_once(call.user, key, digest, view() if call.operation.once is Once.LATER else view)


def _respond(answer: Answer | BaseResponse) -> BaseResponse:
    if isinstance(answer, BaseResponse):
        return _demanded(answer)
    response: Response = make_response("") if answer.body is None else jsonify(answer.body)
    response.status_code = answer.status
    if answer.body is None:
        response.headers.pop("Content-Type")
    response.headers.update(HEADERS | dict(answer.headers or {}))
    if answer.etag:
        response.set_etag(answer.etag)
        if request.method in {"GET", "HEAD"} and answer.status == 200:
            response.make_conditional(request.environ)
    return _demanded(response)


def _demanded(response: BaseResponse) -> BaseResponse:
    """The answer; raises Problem where Werkzeug found that a read was for another version: by the status alone."""
    if response.status_code != PRECONDITION_FAILED.status:
        return response
    response.close()
    raise Problem(PRECONDITION_FAILED, CHANGED, headers={"ETag": response.headers["ETag"]})
