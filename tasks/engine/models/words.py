"""Words: what people read of a task. A row keeps it as the phrase that it is and as its text, in a column for each."""

from peewee import Field, JSONField

from webapp.db import Untyped
from webapp.lib.kept_words import kept_changing, put_into_words, read_words
from webapp.lib.phrases import Phrase, Words

Changes = dict[str, Untyped]  # by the names of columns: values, or what the database works out

LONGEST = {"title": 200, "stage": 200, "error": 4000}  # characters


def kept(**columns: Words) -> Changes:
    """The columns that keep a `title`, a `stage` or an `error`: its text, cut to fit, and its phrase."""
    changes: Changes = {}
    for column, words in columns.items():
        changes[column], changes[f"{column}_phrase"] = kept_changing(words, LONGEST.get(column))
    return changes


def tells_no_more(words: Words) -> bool:
    """Whether these words could be of any task: they say nothing of what this one was given, or made."""
    return isinstance(words, Phrase) and not words.arguments


class TaskWords:
    """What people read of a task: its owner, or others where the owner's name is given.

    Whatever is shown is read by these: the text of a row is what the owner read when it was written.
    """

    title: "Field[str]"
    title_phrase: JSONField
    stage: "Field[str]"
    stage_phrase: JSONField
    error: "Field[str]"
    error_phrase: JSONField

    def title_words(self, owner: str = "") -> str:
        """What it is called."""
        return put_into_words(self.title, self.title_phrase, owner)

    def stage_words(self, owner: str = "") -> str:
        """What it is doing now; empty while it has not said."""
        return put_into_words(self.stage, self.stage_phrase, owner)

    @property
    def stage_tells_no_more(self) -> bool:
        """Whether what it is doing could be of any task."""
        return tells_no_more(read_words(self.stage, self.stage_phrase))

    def error_words(self, owner: str = "") -> str:
        """What went wrong; empty if nothing has."""
        return put_into_words(self.error, self.error_phrase, owner)

    @property
    def own_title(self) -> Words:
        """What it is called, for a phrase of which that is a part, or for another row."""
        return read_words(self.title, self.title_phrase)

    @property
    def own_error(self) -> Words:
        """What went wrong, for a phrase of which that is a part, or for another row."""
        return read_words(self.error, self.error_phrase)
