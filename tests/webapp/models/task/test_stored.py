"""Stored words: a text for the release before, and a phrase beside it for whoever reads it."""

import pytest

from webapp.lib.phrases import Phrase, phrase
from webapp.models.task.stored import kept, words_of

POSTS = phrase("test_stored.posts", "{number} post", plural="{number} posts", others="{number} of {owner}")


def test_an_authors_text_is_kept_as_it_is():
    assert kept("error", "No posts.") == {"error": "No posts.", "error_phrase": None}


def test_a_phrase_is_kept_beside_its_text():
    row = kept("title", POSTS(number=1200), 200)
    assert row == {"title": "1,200 posts", "title_phrase": {"phrase": "test_stored.posts", "number": 1200}}
    assert words_of(row["title"], row["title_phrase"]) == POSTS(number=1200)


@pytest.mark.parametrize("words", ["x" * 300, Phrase("x" * 300)])
def test_what_is_too_long_is_cut_and_is_no_phrase(words):
    assert kept("title", words, 200) == {"title": "x" * 200, "title_phrase": None}


@pytest.mark.parametrize(
    "text", ["", "Written by the release before"], ids=["nothing", "what a release without phrases has written"]
)
def test_a_phrase_that_is_not_what_the_text_says_does_not_count(text):
    assert words_of(text, POSTS(number=2).as_json()) == text


def test_a_phrase_whose_words_nobody_knows_any_more_is_its_text():
    assert words_of("2 posts", {"phrase": "of a task that is gone"}) == "2 posts"
