"""Count which words a text has most of."""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from tasks.engine import Run, TaskError, Upload, user_task
from webapp.models.artifact import CHUNK

MOST = 100
LONGEST = 100  # letters: what has more is no word, but data or a mistake


@user_task(title="Count the words of {file}", one_at_a_time=True, total=lambda file: -(-file.size // CHUNK))
def count_words(task: Run, file: Upload) -> None:
    """Find the 100 words that a text file has most of, whatever their case. Takes any text in UTF-8."""
    # No checkpoints: the counts of a long text are as many as its words, so they would cost more to save again and
    # again than a run that is interrupted costs to repeat. Nothing is written before the end, so repeating is safe.
    task.stage("Counting")
    counts: Counter[str] = Counter()
    for piece in _pieces(_counted(task, file)):
        counts.update(_words(piece))
    if not counts:
        raise TaskError(f"{file} has no words.")
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    task.log(f"{counts.total():,} words, {len(counts):,} different ones")
    task.attach("words.csv", "word,count\r\n" + "".join(f"{word},{number}\r\n" for word, number in most))


def _counted(task: Run, file: Upload) -> Iterator[str]:
    """The text, each chunk a step."""
    for text in file.text():
        if "\0" in text:
            raise TaskError(f"{file} is no text: it holds bytes that no text has.")
        yield text
        if text:
            task.advance()


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """The same text, cut only between words."""
    kept = ""
    for text in texts:
        kept += text
        if kept[-1:].isspace() or len(kept) > 2 * CHUNK:
            yield kept
            kept = ""
        elif len(parts := kept.rsplit(None, 1)) > 1:
            yield parts[0]
            kept = parts[1]
    yield kept


def _words(text: str) -> Iterator[str]:
    """The words as they count: composed, and without a difference of case."""
    for match in _word().finditer(unicodedata.normalize("NFC", text)):
        if len(match[0]) <= LONGEST:
            yield unicodedata.normalize("NFC", match[0].casefold())


@cache
def _word() -> re.Pattern[str]:
    """Letters and digits with the marks upon them, which \\w leaves out, and apostrophes between them."""
    marks = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c).startswith("M"))
    part = rf"[^\W_][\w{marks}]*"
    return re.compile(rf"{part}(?:['’]{part})*")
