"""Bounds: the limits of a parameter's number, or of its text's length, in the words of annotated-types.

`Annotated[int, Interval(ge=1, le=100)]`, `Annotated[float, Gt(0)]`, `Annotated[str, MaxLen(80)]`: who knows pydantic
knows these. What of that vocabulary no form here keeps to is refused (`checks`), so that no limit is one in name only.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import inf, nextafter
from typing import TypeGuard

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt, MaxLen, MinLen

from tasks.engine.parameters.conversions import Value
from webapp.lib.i18n import ngettext, number

FIELDS = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt", MinLen: "min_length", MaxLen: "max_length"}
Bound = Ge | Gt | Le | Lt | MinLen | MaxLen
LOWER = (Ge, Gt, MinLen)
LENGTHS = (MinLen, MaxLen)


@dataclass(frozen=True)
class Bounds:
    """The smallest and the largest number that there may be, None for no end; `above` and `below` leave it out itself.

    Whole numbers are never `above` or `below`: what is above 0 is 1 at least.
    """

    low: float | Decimal | None = None
    high: float | Decimal | None = None
    above: bool = False
    below: bool = False

    def hold(self, value: float | Decimal) -> bool:
        """Whether a number is within."""
        is_high_enough = self.low is None or (value > self.low if self.above else value >= self.low)
        return is_high_enough and (self.high is None or (value < self.high if self.below else value <= self.high))

    @property
    def hold_any(self) -> bool:
        """Whether there is a number within."""
        low = nextafter(self.low, inf) if self.above and self.low is not None else self.low
        high = nextafter(self.high, -inf) if self.below and self.high is not None else self.high
        return low is None or high is None or low <= high

    def problem_of_number(self) -> str:
        """What to enter, in words for the person who did not."""
        low, high = ("" if end is None else number(end) for end in (self.low, self.high))
        if low and high and not self.above and not self.below:
            return f"Enter a number from {low} to {high}."
        lower = f"above {low}" if self.above else f"of at least {low}"
        upper = f"below {high}" if self.below else f"of at most {high}"
        return f"Enter a number {' and '.join([lower] * bool(low) + [upper] * bool(high))}."

    def problem_of_length(self, length: int) -> str:
        """What is wrong with how long a text is, in words for the person who wrote it."""
        has = ngettext("That has %(num)s character", "That has %(num)s characters", length)
        if self.low is not None and length < self.low:
            return f"{has}; it needs at least {number(self.low)}."
        return f"{has}; it may have at most {number(self.high or 0)}."


def unpacked(extras: Iterable[object]) -> Iterator[object]:
    """What Annotated says, with all that a group such as Interval says instead of the group."""
    for extra in extras:
        if isinstance(extra, GroupedMetadata) and not isinstance(extra, type):
            yield from unpacked(extra)
        else:
            yield extra


def is_bound(extra: object) -> TypeGuard[Bound]:
    """Whether this is one of those that are kept to here."""
    return type(extra) in FIELDS


def bounds_of(kind: type, extras: Iterable[object]) -> Bounds | None:
    """The bounds among what Annotated says, of which `wrong_bounds` has found nothing wrong; None if there are none."""
    ends: dict[str, Value] = {}
    for bound in filter(is_bound, extras):
        end, is_open = _value(bound), isinstance(bound, Gt | Lt)
        is_lower = isinstance(bound, LOWER)
        if is_open and kind is int:
            end, is_open = end + (1 if is_lower else -1), False
        ends |= {"low": end, "above": is_open} if is_lower else {"high": end, "below": is_open}
    return Bounds(**ends) if ends else None


def wrong_bounds(kind: type, limits: str, extras: Iterable[object]) -> str | None:
    """What is wrong with the bounds of a parameter of this type, and what to write; None if nothing is.

    `limits` says which it can have: a "range", a "length", or neither.
    """
    bounds = list(filter(is_bound, extras))
    for bound in bounds:
        if words := _wrong_bound(bound, kind, limits):
            return words
    for side in ([each for each in bounds if isinstance(each, LOWER) is is_lower] for is_lower in (True, False)):
        if len(side) > 1:
            return f"has both {_spell(side[0])} and {_spell(side[1])}: leave one"
    found = bounds_of(kind, bounds)
    if found and not found.hold_any:
        return f"has {' and '.join(map(_spell, bounds))}, and nothing is within: write the smaller one first"
    return None


def _wrong_bound(bound: Bound, kind: type, limits: str) -> str | None:
    is_length, value = isinstance(bound, LENGTHS), _value(bound)
    if limits != ("length" if is_length else "range"):
        return f"is no {'text' if is_length else 'number'}, and yet has {_spell(bound)}: take that out"
    if is_length and not (type(value) is int and value >= 0):
        return f"has {_spell(bound)}: write a whole number of at least 0"
    if kind is int and type(value) is not int:
        return f"has {_spell(bound)}: write a whole number"
    if kind is float and not (type(value) in {int, float} and abs(value) <= sys.float_info.max):
        return f"has {_spell(bound)}: write a number"
    if kind is Decimal and not (type(value) is int or (type(value) is Decimal and value.is_finite())):
        return f"has {_spell(bound)}: write a whole number, or an exact one like Decimal('0.05')"
    return None


def _value(bound: Bound) -> Value:
    return getattr(bound, FIELDS[type(bound)])


def _spell(bound: Bound) -> str:
    """As it stands in Ge(…) and in Interval(…) alike."""
    return f"{FIELDS[type(bound)]}={repr(_value(bound))[:40]}"
