"""Kept words: a row has a text for the release before and for search, and a phrase beside it for whoever reads it."""

import json
import time

import pytest

from webapp.lib import phrases
from webapp.lib.kept_words import kept, kept_changing, put_into_words, read_words
from webapp.lib.phrases import Phrase, phrase


@pytest.fixture(autouse=True)
def _only_here(monkeypatch):
    monkeypatch.setattr(phrases, "WORDINGS", {})


@pytest.fixture
def gone():
    return phrase("gone", "{number} post is gone", plural="{number} posts are gone", others="{owner} lost {number}")


def test_a_text_is_kept_without_a_phrase():
    assert kept("x" * 300, 200) == ("x" * 200, None)
    assert put_into_words("It broke.", None, owner="ann") == "It broke."


@pytest.mark.parametrize("keep", [kept, kept_changing])
def test_a_phrase_is_kept_with_its_text_and_read_for_whoever_reads_it(gone, keep):
    text, kept_json = keep(gone(number=1200), 200)
    stored = json.loads(json.dumps(kept_json))
    assert text == put_into_words(text, stored) == "1,200 posts are gone"
    assert put_into_words(text, stored, owner="ann") == "ann lost 1,200"
    assert read_words(text, stored) == gone(number=1200)


def test_what_had_to_be_cut_is_kept_as_a_text_alone():
    named = phrase("named", "{name} broke")
    assert kept(named(name="x" * 600), 500) == ("x" * 500, None)


def test_other_words_for_an_id_are_those_that_are_read(gone, monkeypatch):
    text, stored = kept_changing(gone(number=3))
    monkeypatch.setattr(phrases, "WORDINGS", {})
    phrase("gone", "One lost", plural="{number} lost")
    assert put_into_words(text, stored) == "3 lost"


@pytest.mark.parametrize("text", ["", "Written by the release before"])
def test_a_phrase_counts_only_beside_its_own_text(gone, text):
    _, stored = kept_changing(gone(number=3))
    assert put_into_words(text, stored) == read_words(text, stored) == text


@pytest.mark.parametrize(
    "stored",
    [
        {"phrase": "of.a.later.release"},
        {"phrase": "gone"},
        {"phrase": "outer", "what": {"phrase": "of.a.later.release"}},
        {"phrase": "outer", "what": {"no": "phrase"}},
        {"number": 3},
        ["gone"],
        "gone",
    ],
)
def test_what_this_release_cannot_put_into_words_is_shown_as_its_text(gone, stored):
    phrase("outer", "It is {what}")
    assert put_into_words("3 posts are gone", stored) == read_words("3 posts are gone", stored) == "3 posts are gone"


def test_a_hundred_phrases_are_put_into_words_in_a_moment(gone):
    outer = phrase("outer", "{what} (attempt {attempt})")
    text, stored = kept_changing(outer(what=gone(number=3), attempt=2))
    begun = time.process_time()
    for _ in range(1000):
        put_into_words(text, stored, owner="ann")
    assert time.process_time() - begun < 1, "a thousand take some ten milliseconds; a collection of garbage takes more"


def test_titles_follow_one_another():
    chain, group = phrase("chain", "{titles:then}"), phrase("group", "{titles}")
    assert str(chain(titles=["A", group(titles=["B", "C"])])) == "A, then B, C"
    assert isinstance(chain(titles=["A"]), Phrase)
