"""OwnQuota: a quota that is another one for one person than for everybody, for good or until a time.

They stand in the person's row, which whoever asks for a quota has read anyway: to honor them costs nobody a query.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from webapp.db import database, locking
from webapp.lib.quota_variables import PERSONAL, Quota
from webapp.lib.times import utcnow
from webapp.models.user_row import UserRow


@dataclass(frozen=True)
class OwnQuota:
    """`most` as in `webapp.lib.quota_variables.Most`: None is unlimited. It counts `until` then, or for good."""

    most: int | None
    until: datetime | None = None
    reason: str = ""

    @classmethod
    def of(cls, user: UserRow, quota: Quota) -> Self | None:
        """The one that a person has now, by their row as it was read; None where they have everybody's. No query."""
        kept: dict[str, Any] | None = (user.own_quotas or {}).get(quota.value)
        if kept is None:
            return None
        until = datetime.fromisoformat(kept["until"]) if kept["until"] else None
        return cls(kept["most"], until, kept["reason"]) if until is None or until > utcnow() else None

    def give(self, user: UserRow, quota: Quota) -> None:
        """Have it count for a person from now on, in place of one of before. Two queries.

        Raises ValueError for a quota that is not a person's own: of a network, say, or of the whole site.
        """
        _change(user, quota, {"most": self.most, "until": self.until and self.until.isoformat(), "reason": self.reason})


def take_own_quota(user: UserRow, quota: Quota) -> None:
    """Have everybody's count for a person again. Two queries."""
    _change(user, quota, None)


def _change(user: UserRow, quota: Quota, kept: dict[str, Any] | None) -> None:
    if quota not in PERSONAL:
        raise ValueError(f"{quota} is not one person's")
    with database.atomic():
        row = locking(UserRow.select(UserRow.own_quotas).where(UserRow.id == user.id), "NO KEY UPDATE").get()
        own = {name: each for name, each in (row.own_quotas or {}).items() if name != quota.value}
        user.own_quotas = own | ({quota.value: kept} if kept else {}) or None
        UserRow.update(own_quotas=user.own_quotas).where(UserRow.id == user.id).execute()
