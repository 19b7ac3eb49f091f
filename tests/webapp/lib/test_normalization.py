"""Texts that are blank to whoever reads them."""

import pytest

from webapp.lib.normalization import is_blank


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
def test_invisible_text_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "\u3164x", "👋", "한", "½", "e\u0301", "\u05d0"])
def test_visible_text_is_not_blank(text):
    assert not is_blank(text)
