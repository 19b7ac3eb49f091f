"""Plurals, numbers, sizes, durations and dates as people read them."""

from datetime import UTC, datetime

import pytest
from babel import Locale

from webapp.lib import i18n
from webapp.lib.i18n import CLOCK, DATE, DAY, duration, estimate, ngettext, number, size, written


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "0 posts are gone"), (1, "1 post is gone"), (2, "2 posts are gone"), (1_200, "1,200 posts are gone")],
)
def test_a_sentence_agrees_with_its_number(n, words):
    assert ngettext("%(num)s post is gone", "%(num)s posts are gone", n) == words


def test_a_percent_sign_in_a_value_is_one():
    assert ngettext("%(name)s: %(num)s of it (%%)", "", 1, name="50% %(num)s") == "50% %(num)s: 1 of it (%)"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (-12_345, "-12,345"),
        (0.25, "0.25"),
        (0.0004, "0.0004"),
        (2.0, "2"),
        (10**30, "1" + ",000" * 10),
        (10**4299, "1" + ",000" * 1433),  # the longest that can be typed
        (1e300, "1" + ",000" * 100),
        (float("inf"), "∞"),
    ],
)
def test_a_number_has_its_thousands_apart_however_long_it_is(value, words):
    assert number(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (0.4, "0.4 seconds"),
        (1, "1 second"),
        (1.0, "1 second"),
        (1.5, "1.5 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (600.0, "10 minutes"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (86_400, "1 day"),
        (100_000, "100,000 seconds"),
        (60 * 10**399, "1" + ",000" * 133 + " minutes"),
    ],
)
def test_a_duration_that_somebody_set_is_exact(seconds, words):
    assert duration(seconds) == words


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
        (1500 * 86400, "1,500 days"),
    ],
)
def test_an_estimate_is_as_exact_as_people_are(seconds, words):
    assert estimate(seconds) == words


@pytest.mark.parametrize(
    ("number_of_bytes", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (800, "800 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (2_500_000, "2.5 MB"),
        (999_960, "1.0 MB"),
        (3 * 10**12, "3,000.0 GB"),
    ],
)
def test_a_size_is_told_in_words(number_of_bytes, words):
    assert size(number_of_bytes) == words


@pytest.mark.parametrize(("month", "day"), [(1, "21 January"), (5, "21 May"), (9, "21 September"), (12, "21 December")])
def test_a_month_is_named(month, day):
    assert written(datetime(2026, month, 21, tzinfo=UTC), DAY) == day


@pytest.fixture
def french(monkeypatch):
    """The words of a site in French, whose numbers CLDR writes with narrow spaces that do not break."""
    kept = i18n.number, i18n._measured
    monkeypatch.setattr(i18n, "LOCALE", Locale("fr"))
    for cached in kept:
        cached.cache_clear()
    yield
    for cached in kept:
        cached.cache_clear()


def test_another_language_needs_no_other_code_and_its_spaces_are_plain(french):
    assert number(1_234_567.5) == "1 234 567,5"
    assert (duration(1.5), duration(7200)) == ("1,5 seconde", "2 heures")
    assert (size(1), size(12_300_000)) == ("1 octet", "12,3 Mo")
    assert written(datetime(2026, 8, 21, 9, 30, tzinfo=UTC), f"{DATE}, {CLOCK}") == "21 août 2026, 09:30"
    assert ngettext("%(num)s jour", "%(num)s jours", 0) == "0 jour"
