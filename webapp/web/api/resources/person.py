"""People as they stand in other resources: by the id that they keep, and by the name that addresses have."""

from typing import Final

from webapp.lib.json_types import Json
from webapp.models import User
from webapp.web.api.resource import INTEGER, STRING, Schema

PERSON: Final[Schema] = {
    "type": "object",
    "properties": {"id": INTEGER, "username": STRING},
    "required": ["id", "username"],
}


def person(user: User) -> Json:
    """A person as PERSON has one. Of a deleted account the name is that of its conversation's address."""
    return {"id": user.id, "username": user.username}
