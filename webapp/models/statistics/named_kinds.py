"""Named kinds: those that stand by themselves in numbers, so that these stay as few however many releases there were.

A kind that this release does not know may be left over from any release before; rows of it stay for as long as any
others. More than MOST_UNKNOWN of them are told together, as OTHERS: all but the first by name, an order in which none
takes another's place because of what happens to it.
"""

from collections.abc import Collection, Iterable
from itertools import islice

from tasks.engine import registry

MOST_UNKNOWN = 50
OTHERS = "(other kinds)"  # no task function can have that name


def named(kinds: Iterable[str], also: Collection[str] = ()) -> set[str]:
    """Those of some kinds that stand by themselves: what this release knows, what is `also` asked for, and a few."""
    every = set(kinds)
    known = {kind for kind in every if kind in registry.functions or kind in also}
    return known | set(islice(sorted(every - known), MOST_UNKNOWN))


def name_of(kind: str, those: Collection[str]) -> str:
    """By which name a kind is told where those stand by themselves."""
    return kind if kind in those else OTHERS
