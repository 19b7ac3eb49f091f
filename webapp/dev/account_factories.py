"""Rows about accounts, for tests and for demonstration; as in `factories`."""

import io
from datetime import timedelta
from itertools import count
from typing import Any

from PIL import Image

from tasks.lib.profile_pictures import squares
from webapp.db import database
from webapp.dev.factories import make_post, make_user
from webapp.lib.times import utcnow
from webapp.models import ApiToken, Block, Deletion, EmailChange, Message, Picture, Post, Report, User, blocking
from webapp.models.picture import SIZES
from webapp.models.report import Reason
from webapp.models.scopes import Scope, grantable

_numbers = count(1)


def make_email_change(user: User | None = None, address: str = "new@example.com", **fields: Any) -> EmailChange:
    """An address that is to be confirmed, by a link that was sent just now."""
    user = user or make_user()
    defaults = {"nonce": f"nonce-{next(_numbers)}", "old_address": user.email, "sent_at": utcnow()}
    return EmailChange.create(user=user, address=address, **defaults | fields)


def make_api_token(
    user: User | None = None, *scopes: Scope, name: str = "Script", days: float = 90
) -> tuple[ApiToken, str]:
    """A token with these scopes, or with all that its owner can give, and its text."""
    user = user or make_user()
    return ApiToken.issue(user, name, scopes or grantable(user), utcnow() + timedelta(days=days))


def make_deletion(user: User, **fields: Any) -> Deletion:
    """That an account is being deleted, without what follows from it, see `Deletion.begin`."""
    defaults = {"nonce": f"nonce-{next(_numbers)}", "due_at": utcnow(), "look_at": utcnow()}
    names = {"username": user.username, "username_key": user.username_key}
    return Deletion.create(user=user, **defaults | names | fields)


def make_picture(user: User | None = None, file: bytes = b"") -> Picture:
    """A profile picture, made of this file as a worker makes it; plain unless one is given."""
    user = user or make_user()
    with database.atomic():
        User.hold(user.id)
        Picture.put(user.id, *squares(file or _plain(), SIZES))
    user.picture_version = User.get_by_id(user.id).picture_version
    return Picture.get(Picture.user == user)


def _plain() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (256, 256), "teal").save(out, "PNG")
    return out.getvalue()


def make_block(user: User | None = None, blocked: User | None = None) -> Block:
    """That somebody blocks somebody else."""
    user, blocked = user or make_user(), blocked or make_user()
    blocking.block(user, blocked)
    return Block.get(Block.user == user.id, Block.blocked == blocked.id)


def make_report(
    reporter: User | None = None, subject: Post | Message | None = None, words: str = "It’s an ad."
) -> Report:
    """A report that nobody has handled; of a post of somebody else's, unless said otherwise."""
    return Report.file(reporter or make_user(), subject or make_post(), Reason.SPAM, words)
