"""Fate: what becomes of the rows of a model when an account is deleted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from peewee import Model

from webapp.models.deletion import Deletion

GONE = "deleted"
Due: TypeAlias = Sequence[Deletion]


@dataclass(frozen=True)
class Fate:
    """What becomes of rows, in words, and how.

    `theirs` is the condition for those of some accounts that batches delete; it takes the deletions of these accounts,
    and is found by index. None where a batch deletes none by itself.

    `hide` takes an account's id, whether to hide its rows or to show them again, and how many at most; it returns how
    many that were. None where what shows the rows asks for the account itself.

    `last` deletes, once the tasks of these accounts are gone, at most so many of what others have of them and need no
    more; it returns how many rows that were. `keeps` is the condition for a row of `users` that others' rows need.
    """

    words: str
    theirs: Callable[[Due], Any] | None = None
    hide: Callable[[int, bool, int], int] | None = None
    last: Callable[[Due, int], int] | None = None
    keeps: Callable[[], Any] | None = None


Fates: TypeAlias = Mapping[type[Model], Fate]


def of(*fields: Any) -> Callable[[Due], Any]:
    """The rows that refer to one of the accounts by one of these."""

    def theirs(due: Due) -> Any:
        users = [each.user_id for each in due]
        found = fields[0].in_(users)
        for field in fields[1:]:
            found |= field.in_(users)
        return found

    return theirs
