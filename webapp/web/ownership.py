"""What belongs to somebody else: there is no such thing for whoever asks for it, but the security log has it."""

from typing import NoReturn, Protocol
from uuid import UUID

from flask import abort
from peewee import Model

from webapp.web.auth import signed_in_user
from webapp.web.security_log import Event, record


class Owned(Protocol):
    """A model of what has an owner."""

    @classmethod
    def belongs_to_another(cls, user: Model, key: UUID, /) -> bool:
        """Whether there is one of that id, and it is not this person's."""


def refuse(model: type[Owned], key: UUID) -> NoReturn:
    """Answer 404 to who asks for what they may not see, and log it if it is there, but somebody else's. One query.

    These ids cannot be guessed. So whoever asks for one has been given it, or has found it where it should not be.
    """
    user = signed_in_user()
    if model.belongs_to_another(user, key):
        record(Event.NOT_THE_OWNER, user, **{f"{model.__name__.lower()}_id": key})
    abort(404)
