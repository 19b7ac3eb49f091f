"""PersonalStorage: what a person may store, as the engine asks for it."""

from typing import Any

from tasks.engine.storage import Storage
from webapp.lib.phrases import Phrase, phrase
from webapp.lib.quota_variables import Quota
from webapp.models.quotas import OverQuota, most_of
from webapp.models.storage_count import demand_room, stored_by

FULL = phrase(
    "storage.full",
    "{refusal} Settings → Storage lists them.",
    others="{owner} has no room left for what this task makes.",
)


class PersonalStorage(Storage):
    """By `Quota.STORAGE`. Owners are people."""

    def demand(self, owner: Any, size: int) -> None:
        """As `demand_room`. Raises OverQuota."""
        demand_room(owner, size)

    def left(self, owner: Any) -> int | None:
        """By the quota and one query; none where it is unlimited."""
        most = most_of(Quota.STORAGE, owner)
        return None if most is None else most - stored_by(owner.id)

    def full(self, owner: Any) -> Phrase:
        """With the number, and where to delete what."""
        return FULL(refusal=OverQuota(Quota.STORAGE, most_of(Quota.STORAGE, owner) or 0).phrase)
