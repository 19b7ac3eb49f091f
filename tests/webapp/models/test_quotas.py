"""Quotas: what somebody may do and have, and how they are refused."""

import pytest

from webapp.dev.factories import make_user
from webapp.lib.quota_variables import DEFAULTS, Quota
from webapp.models import RateCount, quotas


@pytest.mark.parametrize("quota", Quota)
def test_who_is_refused_is_told_the_number(quota):
    most = DEFAULTS[quota].accounts
    assert most

    words = quotas.OverQuota(quota, most, 35).words()

    assert ("500 MB" if quota is Quota.STORAGE else f"{most:,}") in words or quota.startswith("site_")
    assert "{" not in words


def test_beyond_a_quota_one_hears_when_it_ends_and_nothing_is_counted(app, allow):
    allow(Quota.POSTS, 2)
    ann = make_user("ann")
    quotas.use(Quota.POSTS, ann, 2)

    for _ in range(3):
        with pytest.raises(quotas.OverQuota) as refused:
            quotas.use(Quota.POSTS, ann)

    assert refused.value.status == 429
    assert 1 <= (refused.value.seconds_left or 0) <= 60
    assert [count.number for count in RateCount.select()] == [2]


def test_a_quota_is_everybodys_own(app, allow):
    allow(Quota.POSTS, 1)
    quotas.use(Quota.POSTS, make_user("ann"))

    quotas.use(Quota.POSTS, make_user("bob"))  # is not refused


def test_a_guest_may_do_less(app, allow):
    allow(Quota.ACTIVE_TASKS, 5, 2)
    ann, guest = make_user("ann"), make_user("guest", guest=True)

    quotas.demand(Quota.ACTIVE_TASKS, 5, ann)
    with pytest.raises(quotas.OverQuota) as refused:
        quotas.demand(Quota.ACTIVE_TASKS, 3, guest)

    assert (refused.value.most, refused.value.status) == (2, 422)


def test_what_is_unlimited_costs_no_query(app, queries):
    ann = make_user("ann")
    with queries() as seen:
        quotas.use(Quota.POSTS, ann, 1_000_000)
        quotas.demand(Quota.STORAGE, 1 << 50, ann)

    assert seen.count == 0
