"""How much of what somebody may store is used, in words."""

from dataclasses import dataclass

from webapp.lib.i18n import number
from webapp.lib.quota_variables import Quota
from webapp.models.quotas import most_of
from webapp.models.storage_count import stored_by
from webapp.web.auth import signed_in_user

MEGABYTE = 1_000_000
NEARLY = 0.8  # used, from where on forms in which files are chosen say so


@dataclass(frozen=True)
class StorageUse:
    """So many bytes of so many; `most` is None where it is unlimited."""

    used: int
    most: int | None

    @property
    def words(self) -> str:
        """Like '450 of 500 MB', or '450 MB'. Never nothing where there is something."""
        used = self.used / MEGABYTE
        shown = number(round(used) if used >= 100 else max(round(used, 1), 0.1 if used else 0))
        return f"{shown} of {number(self.most / MEGABYTE)} MB" if self.most is not None else f"{shown} MB"

    @property
    def is_nearly_full(self) -> bool:
        """Whether a form in which files are chosen should say so."""
        return self.most is not None and self.used >= NEARLY * self.most


def storage_use() -> StorageUse:
    """Of whoever is signed in. One query; none where it is unlimited, and `used` says nothing."""
    user = signed_in_user()
    most = most_of(Quota.STORAGE, user)
    return StorageUse(0 if most is None else stored_by(user.id), most)


def guest_storage() -> int | None:
    """How much an account may store that is no guest's, for whoever is a guest and may store less; else None."""
    user = signed_in_user()
    now, then = most_of(Quota.STORAGE, user), most_of(Quota.STORAGE)
    return then if user.is_guest and now is not None and (then or now + 1) > now else None
