"""The blueprint of private messages, all of which need a sign-in."""

from flask import Blueprint, abort

from webapp.models import Conversation, User
from webapp.models.usernames import DELETED_PREFIX
from webapp.web.auth import require_sign_in, signed_in_user
from webapp.web.people import find_other

bp = require_sign_in(Blueprint("messages", __name__, url_prefix="/messages"))


def find_partner(username: str) -> User:
    """The other person, also one whose account is deleted if there is something to read. Aborts as `find_other`."""
    if username.startswith(DELETED_PREFIX):
        return Conversation.deleted_partner(signed_in_user(), username) or abort(404)
    return find_other(username)
