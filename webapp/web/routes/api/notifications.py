"""The feed: what has changed since a program asked before."""

from datetime import datetime
from typing import Any, Final

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from webapp.lib.json_types import Json
from webapp.models.notification_feed import Bookmark, read_feed
from webapp.web.api.call import Call
from webapp.web.api.feed import FeedVersion, headers_of
from webapp.web.api.operation import Answer, operation
from webapp.web.api.parameters import AS_PLUS, WrongText, parse_moment, text, wrong_query
from webapp.web.api.problems import A_TIME, Fault
from webapp.web.api.resources.notification import FEED_PAGE, SCOPES, Feed, names_for

LONGEST: Final = 500  # characters
SALT: Final = "errand.api.feed"
NOT_A_PLACE: Final = f"This is neither the `next` of an answer to you nor {A_TIME}."
SINCE: Final = text("since", LONGEST, "Where to go on: the `next` of the answer before, or a time. All, without it.")


@operation("GET", "/notifications", allows=SCOPES, answers={200: FEED_PAGE, 304: None}, query=(SINCE,))
def list_notifications(call: Call) -> Answer:
    """The feed of what changes, such as the state of each task.

    It tells what is so now, at most 200 items at once, and not each step on the way. Ask again with `next` as `since`:
    at once while there is `more`, and else after some seconds. Nothing is missed. What changed in the last minute may
    come twice, with the same `id` and `timestamp`.

    Send the last ETag as If-None-Match: as long as nothing has changed, the answer is 304, which costs next to nothing
    and counts towards no limit. A token gets what its scopes are for, as the names tell.
    """
    assert call.token, "it is needed"
    since, scopes = call.query["since"] or "", call.token.scopes
    # That of before reading: what changes meanwhile is asked for again.
    version = FeedVersion(call.user.id, call.user.changes, scopes, current_app.config["RELEASE"])
    page = read_feed(call.user.id, names_for(scopes), _bookmark(call, since))
    following = _serializer(call).dumps(_as_json(page.following))
    etag = version.etag(since, since if page.are_more else following)
    return Answer(FEED_PAGE.of(Feed(page.records, following, page.are_more)), headers=headers_of(etag))


def _bookmark(call: Call, since: str) -> Bookmark:
    if not since:
        return Bookmark.at_the_beginning()
    try:
        return Bookmark.since(parse_moment(since)) if since[0].isdigit() else _read(_serializer(call).loads(since))
    except (BadSignature, WrongText) as error:
        fault = Fault(NOT_A_PLACE + (AS_PLUS if " " in since else ""), parameter="since")
        raise wrong_query(fault) from error


def _as_json(bookmark: Bookmark) -> list[Json]:
    at, after = bookmark.place
    return [at.isoformat(), after, _text(bookmark.begun), _text(bookmark.floor)]


def _read(signed: list[Any]) -> Bookmark:
    at, after, begun, floor = signed
    return Bookmark((datetime.fromisoformat(at), after), _moment(begun), _moment(floor))


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _serializer(call: Call) -> URLSafeSerializer:
    """Signs for this account alone; a bookmark lets nobody see anything."""
    return URLSafeSerializer(current_app.config["SECRET_KEYS"], f"{SALT}.{call.user.id}")
