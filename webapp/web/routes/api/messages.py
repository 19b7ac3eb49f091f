"""Private messages: the conversations, the messages of one, and what can be done with each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from flask import url_for

from webapp.models import Block, Blocked, Conversation, Message, User
from webapp.models.message import NobodyThere
from webapp.models.message_changes import Changed, TooLate, delete, edit
from webapp.models.message_row import MESSAGE_LENGTH
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.etags import etag_of, tagged
from webapp.web.api.forms import filled_in, text_body
from webapp.web.api.operation import Answer, Once, Rate, operation
from webapp.web.api.pages import PAGING, page_of
from webapp.web.api.problems import (
    CONFLICT,
    FORBIDDEN,
    NOT_FOUND,
    PRECONDITION_FAILED,
    QUOTA_EXCEEDED,
    Problem,
)
from webapp.web.api.resource import Listed
from webapp.web.api.resources.message import CONVERSATION, MESSAGE, SeenConversation, SeenMessage
from webapp.web.forms.messages import MessageForm
from webapp.web.paging import Page, page_by_number, page_of_rows
from webapp.web.presenters.message_words import TOO_LATE, why_nobody_there, why_not_message
from webapp.web.routes.messages.blueprint import find_partner

BODY: Final = text_body(MESSAGE_LENGTH)
ONE: Final = "/messages/{username}/{message_id}"


@operation("GET", "/messages", allows=Scope.MESSAGES, answers={200: Listed(CONVERSATION)}, query=PAGING)
def list_conversations(call: Call) -> Answer:
    """Your conversations, the one with the latest message first."""

    def find(cursor: str | None, most: int) -> Page:
        found = page_by_number(Message.inbox(call.user), cursor, Conversation.latest_id, most)
        blocked = Block.blocked_among(call.user, [each.partner_id for each in found.items])
        return replace(
            found, items=[SeenConversation(each, call.user, each.partner_id in blocked) for each in found.items]
        )

    return page_of(call, find, CONVERSATION)


@operation("GET", "/messages/{username}", allows=Scope.MESSAGES, answers={200: Listed(MESSAGE)}, query=PAGING)
def list_messages(call: Call, username: str) -> Answer:
    """The messages between you and one other person, newest first.

    To read them here marks none as read: a POST to `/messages/{username}/reading` does.
    """
    other = find_partner(username)

    def find(cursor: str | None, most: int) -> Page:
        found = page_of_rows(Message, cursor, lambda most, after: Message.between(call.user, other, most, after), most)
        return replace(found, items=[SeenMessage(message, call.user, other) for message in found.items])

    return page_of(call, find, MESSAGE, other=other.id)


@operation(
    "POST",
    "/messages/{username}",
    allows=Scope.MESSAGES,
    answers={201: MESSAGE},
    body=BODY,
    problems=(FORBIDDEN, QUOTA_EXCEEDED),
    rate=Rate.WRITE,
    once=Once.ALL,
)
def create_message(call: Call, username: str) -> Answer:
    """Send a message."""
    other = find_partner(username)
    form = filled_in(MessageForm, body=call.body["body"])
    with _refusals(other):
        message = Message.send(call.user, other, form.body.data)
    seen = SeenMessage(message, call.user, other)
    where = url_for("api.show_message", username=other.username, message_id=message.id)
    return tagged(MESSAGE, seen, status=201, headers={"Location": where})


@operation("POST", "/messages/{username}/reading", allows=Scope.MESSAGES, answers={204: None}, rate=Rate.WRITE)
def read_messages(call: Call, username: str) -> Answer:
    """Mark all that somebody wrote to you as read, which they can see."""
    Message.read(call.user, find_partner(username))
    return Answer(status=204)


@operation("GET", ONE, allows=Scope.MESSAGES, answers={200: MESSAGE, 304: None})
def show_message(call: Call, username: str, message_id: int) -> Answer:
    """One message."""
    return tagged(MESSAGE, _find(call, find_partner(username), message_id))


@operation(
    "PATCH",
    ONE,
    allows=Scope.MESSAGES,
    answers={200: MESSAGE},
    body=BODY,
    problems=(FORBIDDEN, CONFLICT, PRECONDITION_FAILED, QUOTA_EXCEEDED),
    rate=Rate.WRITE,
)
def change_message(call: Call, username: str, message_id: int) -> Answer:
    """Give a message of yours another text, within 15 minutes of sending it."""
    other = find_partner(username)
    seen = _find_own(call, other, message_id)
    if seen.message.deleted_at:
        raise Problem(CONFLICT, "You deleted this message.")
    form = filled_in(MessageForm, body=call.body["body"])
    with _refusals(other):
        edit(call.user, seen.message, form.body.data)
    return tagged(MESSAGE, _find(call, other, message_id))


@operation("DELETE", ONE, allows=Scope.MESSAGES, answers={204: None}, problems=(PRECONDITION_FAILED,), rate=Rate.WRITE)
def delete_message(call: Call, username: str, message_id: int) -> Answer:
    """Delete the text of a message of yours, for both of you. Twice is once."""
    delete(_find_own(call, find_partner(username), message_id).message)
    return Answer(status=204)


def _find(call: Call, other: User, message_id: int) -> SeenMessage:
    if message := Message.find(call.user, other, message_id):
        return SeenMessage(message, call.user, other)
    raise Problem(NOT_FOUND, "There is no such message.")


def _find_own(call: Call, other: User, message_id: int) -> SeenMessage:
    """One that its sender may change, in the version that they want to change."""
    seen = _find(call, other, message_id)
    if not seen.is_own:
        raise Problem(NOT_FOUND, "There is no such message of yours.")
    call.demand_match(etag_of(MESSAGE.of(seen)))
    return seen


@contextmanager
def _refusals(other: User) -> Iterator[None]:
    """What the models refuse, as problems."""
    try:
        yield
    except NobodyThere as error:
        raise Problem(FORBIDDEN, why_nobody_there(other)) from error
    except Blocked as blocked:
        raise Problem(FORBIDDEN, why_not_message(blocked, other)) from blocked
    except TooLate as error:
        raise Problem(CONFLICT, TOO_LATE) from error
    except Changed as error:
        raise Problem(CONFLICT, "The message was changed or deleted at the same moment.") from error
