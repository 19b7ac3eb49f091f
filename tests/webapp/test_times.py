"""Times and durations as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.times import ago_words, clock_words, duration_words, iso, utcnow

NOW = datetime(2026, 11, 21, 9, 30, 15, 999_999)


def test_now_is_naive_utc():
    assert utcnow().tzinfo is None
    assert abs(datetime.now(UTC).replace(tzinfo=None) - utcnow()) < timedelta(seconds=5)


def test_outside_a_time_has_a_z_and_whole_seconds():
    assert iso(NOW) == "2026-11-21T09:30:15Z"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "21 November 2026, 09:30"),
        ("Europe/Berlin", "21 November 2026, 10:30"),
        ("Pacific/Auckland", "21 November 2026, 22:30"),
        ("America/Los_Angeles", "21 November 2026, 01:30"),
    ],
)
def test_a_moment_is_told_where_one_lives(zone, words):
    assert clock_words(NOW, zone) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a few seconds"),
        (4.9, "a few seconds"),
        (5, "5 seconds"),
        (42, "40 seconds"),
        (54.9, "55 seconds"),
        (55, "1 minute"),
        (89, "1 minute"),
        (150, "2 minutes"),
        (49 * 60, "49 minutes"),
        (50 * 60, "1 hour"),
        (5 * 3600, "5 hours"),
        (36 * 3600, "2 days"),
        (10 * 86400, "10 days"),
    ],
)
def test_a_duration_is_as_exact_as_people_are(seconds, words):
    assert duration_words(seconds) == words


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=44), "just now"),
        (timedelta(seconds=46), "1 minute ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=31), "on 21 October 2026"),
    ],
)
def test_how_long_ago_is_told_in_words(age, words):
    assert ago_words(NOW - age, NOW) == words
