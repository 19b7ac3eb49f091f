"""How much of each quota one person has used, for those who look after the site."""

from dataclasses import dataclass

from webapp.lib.quota_variables import PERSONAL, QUOTAS, Quota
from webapp.models.api_token import ApiToken
from webapp.models.own_quota import OwnQuota
from webapp.models.quotas import most_of, window_of
from webapp.models.rate_count import RateCount
from webapp.models.storage_count import stored_by
from webapp.models.task_quotas import count_active
from webapp.models.user import User

COUNTED = 1000  # tasks and tokens, no further


@dataclass(frozen=True)
class QuotaUse:
    """What somebody may have or do of a `quota`, None if that is unlimited; what of it they have `used`, None where it
    is of one file; and the `own` one that they have in place of everybody's."""

    quota: Quota
    most: int | None
    used: int | None
    own: OwnQuota | None


def uses_of(user: User) -> list[QuotaUse]:
    """All quotas of a person. Four queries, or five for somebody with a workflow under way; each by index."""
    windows = {quota: window_of(quota, user)[0] for quota in PERSONAL if QUOTAS[quota].seconds is not None}
    counts = RateCount.find_all(list(windows.values()))
    used = {quota: counts.get(name, 0) for quota, name in windows.items()}
    used |= {Quota.ACTIVE_TASKS: count_active(user.id, COUNTED), Quota.STORAGE: stored_by(user.id)}
    used[Quota.TOKENS] = ApiToken.live_of(user).limit(COUNTED).count()
    return [QuotaUse(quota, most_of(quota, user), used.get(quota), OwnQuota.of(user, quota)) for quota in PERSONAL]
