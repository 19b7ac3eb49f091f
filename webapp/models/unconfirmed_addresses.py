"""Addresses of before that nobody has confirmed: those in their grace, and those that a release before has written."""

import secrets

from peewee import SQL

from webapp.db import Untyped, database
from webapp.lib.times import utcnow
from webapp.models.email_change import EmailChange
from webapp.models.user import User

# Of accounts; in these words the databases know their index for it.
UNCONFIRMED = SQL("email <> '' AND email_confirmed_at IS NULL")
User.add_index(User.email_grace_ends_at, where=UNCONFIRMED, name="users_unconfirmed")


def withdraw(at_once: int, *, with_grace: bool) -> list[EmailChange]:
    """Take from at most so many accounts an address that nobody has confirmed, and return what is pending instead: of
    those whose grace has ended, or else of those to which a release before has given one, which has no grace.

    An account that has another address pending keeps that. A small query, by index, where there is nothing to take;
    else a few for all of them.
    """
    ends_at = User.email_grace_ends_at
    which = ends_at <= utcnow() if with_grace else ends_at.is_null()
    found = [user.id for user in User.select(User.id).where(UNCONFIRMED, which).limit(at_once)]
    if not found:
        return []
    with database.atomic():
        return _withdraw(found, which)


def _withdraw(user_ids: list[int], which: Untyped) -> list[EmailChange]:
    User.hold(*user_ids)
    people = list(User.select().where(User.id.in_(user_ids), UNCONFIRMED, which))  # as they are now
    ids = [user.id for user in people]
    User.update(email="", email_grace_ends_at=None).where(User.id.in_(ids)).execute()
    pending = EmailChange.select(EmailChange.user).where(EmailChange.user.in_(ids), EmailChange.settled_at.is_null())
    with_other = {change.user_id for change in pending}
    rows = [
        {"user": user.id, "address": user.email, "nonce": secrets.token_urlsafe(16)}
        for user in people
        if user.id not in with_other
    ]
    if rows:
        EmailChange.insert_many(rows).execute()
    return list(EmailChange.select().where(EmailChange.nonce.in_([row["nonce"] for row in rows])))
