"""Texts that are blank to whoever reads them, and sizes as people read them."""

import pytest

from webapp.lib.texts import is_blank, size_words


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\u00a0\u3000",
        "\u3164",
        "\u2800\u2800",
        "\u115f\u1160",
        "\uffa0",
        "\u200b\u200d\ufeff",
        "\ufe0f",
        "\x07",
    ],
)
def test_what_is_seen_by_nobody_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "\u3164x", "👋", "한", "½", "e\u0301", "\u05d0"])
def test_what_is_seen_is_not(text):
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (800, "800 bytes"),
        (1000, "1.0 kB"),
        (2_500_000, "2.5 MB"),
        (999_960, "1.0 MB"),
        (3 * 10**12, "3,000.0 GB"),
    ],
)
def test_a_size_is_told_in_words(number, words):
    assert size_words(number) == words
