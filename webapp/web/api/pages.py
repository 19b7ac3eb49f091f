"""Pages of a list: `{"items": […], "next": …}` with `Link: rel=next`, and cursors that are good for one list alone.

A cursor says where a page ended. It is signed for the account, the list and its filter, so that it lets nobody see
anything, and no other filter goes on from there.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import BadRequest

from webapp.lib.json_types import Json
from webapp.web.api.call import Call
from webapp.web.api.operation import Answer
from webapp.web.api.parameters import Query, text, whole_number, wrong_query
from webapp.web.api.problems import Fault, Problem
from webapp.web.api.resource import Resource
from webapp.web.paging import Page

MOST: Final = 200
USUAL: Final = 50
LONGEST_CURSOR: Final = 500  # characters
SALT: Final = "errand.api.cursor"
NOT_A_CURSOR: Final = "This is no cursor of this list; begin again without one."
PAGING: Final[tuple[Query, ...]] = (
    whole_number("limit", 1, MOST, "How many items, at most.", USUAL),
    text("cursor", LONGEST_CURSOR, "Where to go on: the `next` of the page before."),
)


def page_of(call: Call, find: Callable[[str | None, int], Page], resource: Resource[Any], **path: object) -> Answer:
    """A page of a list. `find` gets the cursor as `webapp.web.paging` has it, and how many.

    Raises Problem (422) for a cursor that this list did not give out.
    """
    try:
        page = find(_read(call, path), call.query["limit"])
    except BadRequest as error:
        raise _not_a_cursor() from error
    items: list[Json] = [resource.of(row) for row in page.items]
    following = _serializer(call, path).dumps(page.next) if page.next else None
    headers = {"Link": f'<{_url(str(following))}>; rel="next"'} if following else {}
    return Answer({"items": items, "next": following}, headers=headers)


def _read(call: Call, path: dict[str, object]) -> str | None:
    cursor = call.query["cursor"]
    if cursor is None:
        return None
    try:
        return str(_serializer(call, path).loads(cursor))
    except BadSignature as error:
        raise _not_a_cursor() from error


def _not_a_cursor() -> Problem:
    return wrong_query(Fault(NOT_A_CURSOR, parameter="cursor"))


def _serializer(call: Call, path: dict[str, object]) -> URLSafeSerializer:
    """Signs for this account, this list and this filter; how many items a page has may change on the way."""
    asked = sorted((name, str(value)) for name, value in call.query.items() if name not in {"limit", "cursor"})
    about = repr((call.user.id, call.operation.name, sorted(map(str, path.items())), asked))
    salt = f"{SALT}.{hashlib.sha256(about.encode()).hexdigest()}"
    return URLSafeSerializer(current_app.config["SECRET_KEYS"], salt)


def _url(cursor: str) -> str:
    args = request.args.to_dict() | {"cursor": cursor}
    return f"{request.path}?{urlencode(args)}"
