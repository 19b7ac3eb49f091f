"""Histograms: what they say of a duration is right within a bucket."""

import random
from itertools import pairwise

import pytest

from webapp.lib.histogram import BOUNDS, BUCKETS, LONGEST, SHORTEST, bucket_of, merged, percentile


def _histogram(durations):
    return merged({bucket_of(duration): 1} for duration in durations)


def test_the_buckets_go_from_50_milliseconds_to_12_hours():
    assert (BOUNDS[0], BOUNDS[-1], len(BOUNDS)) == (SHORTEST, LONGEST, BUCKETS - 1) == (50, 43_200_000, 31)
    ratios = [above / below for below, above in pairwise(BOUNDS)]
    assert max(ratios) / min(ratios) < 1.02


@pytest.mark.parametrize("bound", range(BUCKETS - 1))
def test_a_duration_at_a_bound_is_in_the_bucket_that_ends_there(bound):
    assert bucket_of(BOUNDS[bound]) == bound
    assert bucket_of(BOUNDS[bound] + 0.001) == bound + 1


def test_a_clock_that_was_set_back_makes_no_bucket_of_its_own():
    assert bucket_of(-5000) == 0


@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1])
@pytest.mark.parametrize("number", [1, 2, 7, 1000])
def test_percentiles_are_in_the_bucket_of_the_exact_one(share, number):
    chance = random.Random(number)
    durations = sorted(chance.lognormvariate(8, 3) for _ in range(number))
    exact = durations[max(0, -int(-share * number // 1) - 1)]
    bucket = bucket_of(exact)
    below = BOUNDS[bucket - 1] if bucket else 0
    above = BOUNDS[bucket] if bucket < len(BOUNDS) else LONGEST
    assert below <= percentile(_histogram(durations), share) <= above


def test_nothing_has_no_percentile():
    assert percentile({}, 0.5) is None
