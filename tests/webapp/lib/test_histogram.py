"""Histograms: what they say of a duration is right within a bucket."""

import random
from bisect import bisect_left
from itertools import pairwise

import pytest

from webapp.lib.histogram import BOUNDS, BUCKETS, LONGEST, SHORTEST, merged, percentile


def _histogram(durations):
    return merged({bisect_left(BOUNDS, duration): 1} for duration in durations)


def test_the_buckets_go_from_50_milliseconds_to_12_hours():
    assert (BOUNDS[0], BOUNDS[-1], len(BOUNDS)) == (SHORTEST, LONGEST, BUCKETS - 1) == (50, 43_200_000, 31)
    ratios = [above / below for below, above in pairwise(BOUNDS)]
    assert max(ratios) / min(ratios) < 1.02


@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1])
@pytest.mark.parametrize("number", [1, 2, 7, 1000])
def test_percentiles_are_in_the_bucket_of_the_exact_one(share, number):
    chance = random.Random(number)
    durations = sorted(chance.lognormvariate(8, 3) for _ in range(number))
    exact = durations[max(0, -int(-share * number // 1) - 1)]
    bucket = bisect_left(BOUNDS, exact)
    below = BOUNDS[bucket - 1] if bucket else 0
    above = BOUNDS[bucket] if bucket < len(BOUNDS) else LONGEST
    assert below <= percentile(_histogram(durations), share) <= above


def test_nothing_has_no_percentile():
    assert percentile({}, 0.5) is None
