"""One message: what its sender may still do with it, and how its recipient reports it."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.models import Blocked, Made, Message, OverQuota, User
from webapp.models.message_changes import Changed, TooLate, delete, edit
from webapp.web import over_quota, reporting
from webapp.web.auth import signed_in_user
from webapp.web.forms.messages import EditMessageForm
from webapp.web.idempotency import create_once, replay_response
from webapp.web.presenters.message_words import TOO_LATE, why_not_message
from webapp.web.routes.messages.blueprint import bp, find_partner

CHANGED = "You changed this message in another tab in the meantime. Save again to replace that."
SAVED_ALREADY = "That was already saved."


@bp.get("/<username>/<int:message_id>")
def show_message(username: str, message_id: int) -> ResponseReturnValue:
    """A message with all that can be done with it."""
    other = find_partner(username)
    message = _find(other, message_id)
    return _page(other, message, EditMessageForm(formdata=None, obj=message))


@bp.post("/<username>/<int:message_id>")
def update(username: str, message_id: int) -> ResponseReturnValue:
    """Save another text of a message, or show its page again with the text and what is wrong with it.

    Where it has been changed in another tab, that is said first, and a second press replaces it.
    """
    if answer := replay_response(SAVED_ALREADY):
        return answer
    other, form = find_partner(username), EditMessageForm()
    message = _find_own(other, message_id)
    if not form.validate_on_submit():
        return _page(other, message, form), 422
    if form.version.data and form.version.data != message.version:
        return _refused(other, message, form, CHANGED)

    def save() -> Made:
        edit(signed_in_user(), message, form.body.data)
        return Made(_address(other, message))

    try:
        return create_once(save, SAVED_ALREADY)
    except TooLate:
        return _refused(other, message, form, TOO_LATE)
    except Blocked as blocked:
        return _refused(other, message, form, why_not_message(blocked, other))
    except OverQuota as error:
        return over_quota.page(error, _refused(other, message, form, error.words()))
    except Changed:
        return _refused(other, _find_own(other, message_id), form, CHANGED)


@bp.post("/<username>/<int:message_id>/deletion")
def remove(username: str, message_id: int) -> ResponseReturnValue:
    """Delete the text of a message, for both people."""
    other = find_partner(username)
    message = _find(other, message_id, or_deleted=True)
    if message.sender_id != signed_in_user().id:
        abort(404)
    flash("Message deleted." if delete(message) else "That message was already deleted.")
    return redirect(_address(other, message), 303)


@bp.get("/<username>/<int:message_id>/report")
def new_report(username: str, message_id: int) -> ResponseReturnValue:
    """The form for reporting what the other person wrote; for one's own messages there is none."""
    other = find_partner(username)
    message = _find_others(other, message_id)
    return reporting.show(message, *_addresses(other, message))


@bp.post("/<username>/<int:message_id>/report")
def report(username: str, message_id: int) -> ResponseReturnValue:
    """Report a message to those who look after the site."""
    other = find_partner(username)
    message = _find_others(other, message_id)
    return reporting.create(message, *_addresses(other, message))


def _find(other: User, message_id: int, *, or_deleted: bool = False) -> Message:
    """A message between two people, 404 if it is none, or was deleted. One query."""
    found = Message.find(signed_in_user(), other, message_id)
    return found if found and (or_deleted or found.deleted_at is None) else abort(404)


def _find_own(other: User, message_id: int) -> Message:
    message = _find(other, message_id)
    return message if message.sender_id == signed_in_user().id else abort(404)


def _find_others(other: User, message_id: int) -> Message:
    message = _find(other, message_id)
    return message if message.sender_id == other.id else abort(404)


def _address(other: User, message: Message) -> str:
    return url_for("messages.show", username=other.username, _anchor=f"message-{message.id}")


def _addresses(other: User, message: Message) -> tuple[str, str]:
    """Of the message in its conversation, and of the form for a report."""
    action = url_for("messages.report", username=other.username, message_id=message.id)
    return _address(other, message), action


def _refused(other: User, message: Message, form: EditMessageForm, words: str) -> ResponseReturnValue:
    form.body.errors, form.version.data = [words], message.version
    return _page(other, message, form), 422


def _page(other: User, message: Message, form: EditMessageForm) -> str:
    return render_template("messages/one.html", other=other, message=message, form=form, too_late=TOO_LATE)
