"""Histograms of durations: how many lasted how long, in few numbers that can be added up.

A histogram is a mapping from a bucket to how many fell into it; buckets that are empty are left out. Bucket `n` holds
what lasted at most `BOUNDS[n]` milliseconds, and longer than the bound before; the last one holds all that is longer.
Bounds are part of what is stored: never change them.
"""

from collections.abc import Iterable, Mapping

SHORTEST, LONGEST = 50, 12 * 3600 * 1000  # ms: the first bound and the last one
BUCKETS = 32
BOUNDS = tuple(round(SHORTEST * (LONGEST / SHORTEST) ** (n / (BUCKETS - 2))) for n in range(BUCKETS - 1))

Histogram = dict[int, int]


def merged(histograms: Iterable[Mapping[int, int]]) -> Histogram:
    """All in one."""
    every: Histogram = {}
    for histogram in histograms:
        for bucket, count in histogram.items():
            every[bucket] = every.get(bucket, 0) + count
    return every


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """The milliseconds that this share, 0 to 1, lasted at most; None for an empty histogram.

    It lies in the bucket of the exact one, so it is at most a factor of 1.6 off; in that bucket all are taken to be
    spread evenly. What is longer than LONGEST counts as LONGEST.
    """
    rank, passed = share * sum(histogram.values()), 0
    for bucket in sorted(histogram):
        count = histogram[bucket]
        if passed + count >= rank and count:
            below = BOUNDS[bucket - 1] if bucket else 0
            above = BOUNDS[bucket] if bucket < len(BOUNDS) else LONGEST
            return below + (above - below) * max(0.0, rank - passed) / count
        passed += count
    return None
