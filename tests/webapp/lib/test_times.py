"""Times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.lib.times import clock_words, day_words, from_local, iso, local, utcnow

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
        ("", "21 November 2026, 09:30 UTC"),
        ("Europe/Berlin", "21 November 2026, 10:30"),
        ("Pacific/Auckland", "21 November 2026, 22:30"),
        ("America/Los_Angeles", "21 November 2026, 01:30"),
    ],
)
def test_a_moment_is_told_where_one_lives(zone, words):
    assert clock_words(NOW, zone) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [("UTC", "09:30"), ("Asia/Tokyo", "18:30"), ("America/Los_Angeles", "21 November 2026, 01:30")],
)
def test_a_day_that_has_just_been_named_is_not_said_again(zone, words):
    assert clock_words(NOW, zone, after=NOW - timedelta(hours=9)) == words


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", "30 November"), ("Pacific/Auckland", "1 December"), ("America/Los_Angeles", "30 November")],
)
def test_a_day_is_that_of_its_readers_clock(zone, day):
    moment = datetime(2026, 11, 30, 23, 30)
    assert day_words(moment, zone) == day


@pytest.mark.parametrize(
    ("zone", "moment", "words"),
    [
        ("Europe/Paris", datetime(2027, 10, 31, 0, 30), "31 October 2027, 02:30 (UTC+2)"),
        ("Europe/Paris", datetime(2027, 10, 31, 1, 30), "31 October 2027, 02:30 (UTC+1)"),
        ("Europe/Paris", datetime(2027, 10, 31, 2, 0), "31 October 2027, 03:00"),
        ("America/St_Johns", datetime(2027, 11, 7, 3, 45), "7 November 2027, 01:15 (UTC-2:30)"),
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, 15), "4 April 2027, 01:45 (UTC+10:30)"),
        ("Europe/London", datetime(2027, 10, 31, 1, 15), "31 October 2027, 01:15 (UTC)"),
    ],
)
def test_a_time_that_comes_twice_says_which_it_is(zone, moment, words):
    assert clock_words(moment, zone) == words
    assert from_local(local(moment, zone).replace(tzinfo=None), zone, again=bool(local(moment, zone).fold)) == moment


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Havana", datetime(2027, 3, 14), datetime(2027, 3, 14, 5)),  # whose clocks skip midnight
        ("America/Havana", datetime(2027, 11, 7), datetime(2027, 11, 7, 4)),  # and show it twice
        ("Europe/Paris", datetime(2027, 10, 31), datetime(2027, 10, 30, 22)),
    ],
)
def test_a_day_begins_with_its_first_moment(zone, day, begins):
    assert from_local(day, zone) == begins
    assert local(begins - timedelta(microseconds=1), zone).day != day.day
