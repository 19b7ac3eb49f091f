"""Tokenization: its cost. What it finds is in tests/webapp/models/test_search.py."""

import time

import pytest

from webapp.lib.tokenization import places, query_terms, terms_of


@pytest.mark.parametrize(
    "run", ["a", "가", "<", "C+", "#", "a ", "ﷺ", "И\u0306", "a\u0301", "\u0301\u0316", "\u093c\u094d"], ids=ascii
)
def test_tokenization_of_long_runs_is_linear(run):
    text = run * 50_000
    started = time.monotonic()
    terms_of(text)
    places(text, "C++ b 가나 <<")
    query_terms(text)
    assert time.monotonic() - started < 10, "a pattern that is tried anew at each character takes minutes"


@pytest.mark.parametrize("text", ["Two plain words", "tab\tline\nbreak\x1fNUL\x00 end", "x" * 50, " ", "1 22 a"])
def test_plain_words_have_the_terms_that_they_have_among_others(text):
    assert set(terms_of(f"{text} \u00fcber").split()) == {*terms_of(text).split(), "uber"}
