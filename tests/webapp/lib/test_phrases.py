"""Phrases: ids with arguments that are put into words for whoever reads them."""

import json
from pathlib import Path

import pytest

from webapp.lib import phrases
from webapp.lib.phrases import Phrase, phrase


@pytest.fixture(autouse=True)
def _only_here(monkeypatch):
    monkeypatch.setattr(phrases, "WORDINGS", {})


def test_a_phrase_reads_as_its_reader_would_say_it():
    canceled = phrase("canceled", "Canceled by you", others="Canceled by {owner}")
    assert str(canceled()) == "Canceled by you"
    assert canceled().words(owner="ann") == "Canceled by ann"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 posts are gone"), (1, "1 post is gone"), (1200, "1,200 posts are gone")]
)
def test_a_phrase_agrees_with_its_number(number, words):
    gone = phrase("gone", "{number} post is gone", plural="{number} posts are gone")
    assert str(gone(number=number)) == words


def test_numbers_durations_and_sizes_read_as_people_write_them():
    took = phrase("took", "{rows} rows of {bytes:size} in {seconds:duration}")
    assert str(took(rows=12345, bytes=1200, seconds=120)) == "12,345 rows of 1.2 kB in 2 minutes"


def test_what_is_said_within_a_sentence_may_begin_one():
    inner, outer = phrase("inner", "the server hung up."), phrase("outer", "{why:sentence} So {why} {n:sentence}")
    assert str(outer(why=inner(), n=1200)) == "The server hung up. So the server hung up. 1,200"
    assert str(outer(why="", n="")) == " So  "


def test_a_phrase_within_a_phrase_is_put_into_words_for_the_same_reader():
    inner = phrase("inner", "yours", others="{owner}’s")
    outer = phrase("outer", "It is {what}; {all}")
    kept = json.loads(json.dumps(outer(what=inner(), all=[inner(), "a text"]).as_json()))
    assert Phrase.from_json(kept).words() == "It is yours; yours, a text"
    assert Phrase.from_json(kept).words(owner="ann") == "It is ann’s; ann’s, a text"


def test_braces_in_an_argument_stay_as_they_are():
    named = phrase("named", "{name} is not a picture")
    assert str(named(name="{owner}")) == "{owner} is not a picture"


def test_two_phrases_with_one_id_are_refused():
    phrase("one", "One")
    with pytest.raises(ValueError, match="two phrases have the id one"):
        phrase("one", "Another")


def test_an_id_of_a_later_release_is_shown_as_it_is():
    assert str(Phrase("later.release")) == "later.release"


@pytest.mark.parametrize("words", ["{rows:d}", "{rows", "{rows:{unit}}"])
def test_words_that_cannot_be_read_are_refused_as_they_are_declared(words):
    with pytest.raises(ValueError, match=r"unit|expected"):
        phrase("wrong", words)


def test_a_phrase_without_an_argument_of_its_words_is_refused_as_it_is_made():
    gone = phrase("gone", "One post of {file}", plural="{number} posts of {file}")
    with pytest.raises(TypeError, match="the phrase gone needs file, number"):
        gone()


def test_what_is_no_json_is_kept_as_its_text():
    named = phrase("named", "{file} takes {seconds}")
    kept = json.loads(json.dumps(named(file=Path("a.csv"), seconds=float("inf")).as_json(), allow_nan=False))
    assert kept == {"phrase": "named", "file": "a.csv", "seconds": "inf"}
