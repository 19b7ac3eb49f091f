"""Count which words a text has most of."""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from heapq import nsmallest

from tasks.engine import Run, TaskError, Upload, user_task
from tasks.engine.models.artifact import CHUNK
from tasks.lib.csv_cells import csv_row
from webapp.lib.phrases import phrase

TITLE = phrase("count_words.title", "Count words in {file}")
COUNTING = phrase("count_words.counting", "Counting")
COUNTED = phrase(
    "count_words.counted", "{number} word, {different} different", plural="{number} words, {different} different"
)
MORE_THAN = phrase("count_words.more_than", "more than {most}")
DROPPED = phrase(
    "count_words.dropped",
    "Too many to keep, so rare words were dropped along the way: a count may be up to {short} too low",
)
NO_WORDS = phrase("count_words.no_words", "{file} contains no words.")
NO_TEXT = phrase("count_words.no_text", "{file} isn’t a text file.")

MOST = 100
LONGEST = 100  # letters: what has more is no word, but data or a mistake
MOST_DIFFERENT = 100_000  # words that are counted at a time, beyond those of one piece of the text
_BETWEEN = frozenset(".,;:!?()…。、，！？；：")  # what no word has within it
_UNSEEN = re.compile("[\u00ad\u2060\ufeff]")  # soft hyphens and the like: they say where a line may break, and no more

# To compose a letter takes the square of the number of its marks, of which no language puts more than some on one:
# https://unicode.org/reports/tr15/#Stream_Safe_Text_Format
_TOO_MANY = re.compile(r"(\W{30})\W+")


@user_task(title=TITLE, one_at_a_time=True, total=lambda file: -(-file.size // CHUNK))
def count_words(task: Run, file: Upload) -> None:
    """List the 100 most frequent words in a UTF-8 text file, ignoring case."""
    # No checkpoints: the counts of a long text are as many as its words, so they would cost more to save again and
    # again than a run that is interrupted costs to repeat. Nothing is written before the end, so repeating is safe.
    task.stage(COUNTING())
    counts: Counter[str] = Counter()
    number = short = 0
    for piece in _pieces(_counted(task, file)):
        if len(counts) > MOST_DIFFERENT:
            short += _forget_rare(counts)
        before = counts.total()
        counts.update(_words(piece))
        number += counts.total() - before
    if not number:
        raise TaskError(NO_WORDS(file=file.name))
    task.log(COUNTED(number=number, different=MORE_THAN(most=MOST_DIFFERENT) if short else len(counts)))
    if short:
        task.log(DROPPED(short=short))
    most = nsmallest(MOST, counts.items(), key=lambda item: (-item[1], item[0]))
    task.attach("words.csv", "".join([csv_row("word", "count"), *(csv_row(*each) for each in most)]))


def _forget_rare(counts: Counter[str]) -> int:
    """Drop at least half of the words, those that came least; how often any of them came at most."""
    rare = sorted(counts.values())[len(counts) // 2]
    for word in [word for word, number in counts.items() if number <= rare]:
        del counts[word]
    return rare


def _counted(task: Run, file: Upload) -> Iterator[str]:
    """The text, each chunk a step."""
    for text in file.text():
        if "\0" in text:
            raise TaskError(NO_TEXT(file=file.name))
        yield text
        if text:
            task.advance()


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """The same text, cut only between words, unless one is longer than any that counts."""
    kept = ""
    for text in texts:
        kept += text
        end = _last_end(kept)
        yield kept[:end]
        kept = kept[end:]
    yield kept


def _last_end(text: str) -> int:
    """Where the last word of a text begins that may go on behind it; its end, if that word is none."""
    for place in range(len(text), max(0, len(text) - 4 * LONGEST), -1):
        if text[place - 1].isspace() or text[place - 1] in _BETWEEN:
            return place
    return len(text)


def _words(text: str) -> Iterator[str]:
    """The words as they count: composed, and without a difference of case."""
    composed = unicodedata.normalize("NFC", _TOO_MANY.sub(r"\1 ", _UNSEEN.sub("", text)))
    for match in _word().finditer(composed):
        if len(match[0]) <= LONGEST:
            yield unicodedata.normalize("NFC", match[0].casefold())


@cache
def _word() -> re.Pattern[str]:
    """Letters and digits with the marks upon them, which \\w leaves out, and between them apostrophes, or the joiners
    that Persian and the languages of India are written with.
    """
    marks = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c).startswith("M"))
    part = rf"[^\W_][\w{marks}]*"
    return re.compile(rf"{part}(?:['’]{part}|[\u200c\u200d]+[\w{marks}]+)*")
