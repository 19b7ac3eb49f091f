"""Private messages: the inbox, and the conversation with one person."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.models import Block, Blocked, Conversation, Made, Message, Notification, OverQuota, User
from webapp.models.message import NobodyThere
from webapp.models.notification_kinds import CONVERSATION
from webapp.web import htmx, over_quota
from webapp.web.auth import signed_in_user
from webapp.web.forms.messages import MessageForm
from webapp.web.forms.search import SearchForm
from webapp.web.idempotency import REPEATED_MESSAGE, create_once, needs_repeat_confirmation, replay_response
from webapp.web.paging import cursor_at, page_by_number, page_of_rows
from webapp.web.polling import FocusFallback, conditional_fragment
from webapp.web.presenters.message_words import why_nobody_there, why_not_message
from webapp.web.presenters.notifications import leads_to
from webapp.web.routes.messages.blueprint import bp, find_partner


@leads_to(CONVERSATION)
def address_of_conversation(notification: Notification) -> str:
    """Where the notification that somebody wrote leads to: the end of the conversation with them."""
    return url_for("messages.show", username=getattr(notification.sender, "username", ""), _anchor="composer")


@bp.get("")
def index() -> ResponseReturnValue:
    """The conversations, the one with the latest message first; or the messages that have the words of `?q=`."""
    search = SearchForm(request.args)
    if not search.arguments:
        return render_template("messages/index.html", search=search, **_inbox())
    found = search.page(Message.of(signed_in_user()), request.args.get("before"), signed_in_user())
    page = render_template("messages/search.html", search=search, found=found, cursor_at=cursor_at)
    return page, search.status, search.headers


@bp.get("/_inbox")
def inbox_fragment() -> ResponseReturnValue:
    """The inbox alone, as its page includes it."""
    return conditional_fragment(
        lambda: render_template("messages/_inbox.html", **_inbox()), FocusFallback("inbox", "Messages")
    )


@bp.get("/<username>")
def show(username: str) -> ResponseReturnValue:
    """The conversation with one person. What they wrote is read by what the page then sends, or by a button of it."""
    return _page(find_partner(username), MessageForm())


@bp.get("/<username>/_thread")
def thread_fragment(username: str) -> ResponseReturnValue:
    """What was written, as the conversation's page includes it."""
    other = find_partner(username)
    return conditional_fragment(lambda: render_template("messages/_thread.html", **_thread(other)))


@bp.post("/<username>")
def create(username: str) -> ResponseReturnValue:
    """Send a message, or show the page again with the text and what is wrong with it."""
    if answer := replay_response():
        return answer
    other, form = find_partner(username), MessageForm()
    if not form.validate_on_submit():
        return _page(other, form), 422
    if needs_repeat_confirmation(Message.last_by(signed_in_user(), other), form.body.data):
        form.is_repeated, form.body.errors = True, [REPEATED_MESSAGE]
        return _page(other, form), 422

    def send() -> Made:
        Message.send(signed_in_user(), other, form.body.data)
        return Made(url_for("messages.show", username=other.username, _anchor="composer"))

    try:
        return create_once(send)
    except OverQuota as error:
        form.body.errors = [error.words()]
        return over_quota.page(error, _page(other, form))
    except NobodyThere:
        form.body.errors = [why_nobody_there(other)]
        return _page(other, form), 422
    except Blocked as blocked:
        form.body.errors = [why_not_message(blocked, other)]
        return _page(other, form), 422


@bp.post("/<username>/reading")
def read(username: str) -> ResponseReturnValue:
    """Mark all that they wrote as read: what a conversation does when it is opened and when something arrives."""
    other = find_partner(username)
    Message.read(signed_in_user(), other)
    return htmx.respond(url_for("messages.show", username=other.username))


def _inbox() -> dict[str, Any]:
    user, before = signed_in_user(), request.args.get("before")
    conversations = page_by_number(Message.inbox(user), before, Conversation.latest_id)
    blocked = Block.blocked_among(user, [conversation.partner_id for conversation in conversations.items])
    return {"conversations": conversations, "before": before, "blocked": blocked}


def _thread(other: User) -> dict[str, Any]:
    user, before = signed_in_user(), request.args.get("before")
    messages = page_of_rows(Message, before, lambda most, after: Message.between(user, other, most, after))
    facts = {"unread": Message.is_unread(user, other), "is_blocked": Block.is_by(user, other)}
    return {"other": other, "messages": messages, "before": before, **facts}


def _page(other: User, form: MessageForm) -> str:
    return render_template("messages/show.html", form=form, **_thread(other))
