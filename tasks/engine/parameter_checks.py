"""What can be wrong with a parameter of a task function, each in one line that says what to write instead."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import DocInfo

from tasks.engine.bounds import is_bound, unpacked, wrong_bounds
from tasks.engine.parameters import Labels
from tasks.engine.uploads import Accept, Count, Upload
from webapp.lib.i18n import ngettext

TYPES = (str, int, float, bool, Upload)
RESERVED = {"self", "user", "run_at"}  # what `launch` itself takes
EXTRAS = (Labels, Count, Accept)
REMARKS = (str, DocInfo)  # what Annotated may say besides, for readers


@dataclass(frozen=True)
class SpelledParameter:
    """A parameter as its author spelled it. `hint` is its type without what Annotated adds to that."""

    parameter: inspect.Parameter
    hint: Any
    extras: tuple[Any, ...]

    def said(self, kind: type) -> Any:
        """What Annotated says of this kind, or None."""
        return next((extra for extra in self.extras if isinstance(extra, kind)), None)

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of its Literal; empty for any other type."""
        return get_args(self.hint) if get_origin(self.hint) is Literal else ()

    @property
    def kind(self) -> Any:
        """The type of one value."""
        if self.choices:
            return type(self.choices[0])
        return Upload if self.hint == list[Upload] else self.hint

    @property
    def default(self) -> Any:
        """What it is where nobody says; a whole number will do for a float."""
        value = self.parameter.default
        return float(value) if self.kind is float and type(value) is int else value


def _name(spelled: SpelledParameter) -> str | None:
    kind, name = spelled.parameter.kind, spelled.parameter.name
    if kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        stars = "*" if kind is inspect.Parameter.VAR_POSITIONAL else "**"
        return f"is {stars}{name}, which no form can ask for: write each parameter with its name"
    if kind is inspect.Parameter.POSITIONAL_ONLY:
        return "is positional only, and arguments come by name: write the / right behind task, or nowhere"
    if name in RESERVED or name.startswith("_"):
        return f"cannot be named so, as launch and forms have names of their own: write {name.strip('_')}_ or another"
    return None


def _type(spelled: SpelledParameter) -> str | None:
    takes = "write str, int, float, bool, Literal[…], Upload or Annotated[list[Upload], Count(…)]"
    if spelled.hint is None:
        return f"has no type: {takes}"
    if spelled.kind not in TYPES:
        return f"has the type {_spell(spelled.hint)}, which no form field can ask for: {takes}"
    if spelled.hint == list[Upload] and not spelled.said(Count):
        return "is a list of files without an end: write Annotated[list[Upload], Count(1, 50)]"
    return None


def _choices(spelled: SpelledParameter) -> str | None:
    if len(kinds := {type(choice).__name__ for choice in spelled.choices}) > 1:
        return f"has choices of several types ({', '.join(sorted(kinds))}): write all of one"
    return "has the choices True and False: write bool" if spelled.choices and spelled.kind is bool else None


def _known(spelled: SpelledParameter) -> str | None:
    for extra in spelled.extras:
        name = (extra if isinstance(extra, type) else type(extra)).__name__
        said = tuple(unpacked([extra]))
        if isinstance(extra, type):
            return f"has {name} without what it says: write {name}(…)"
        if not said:
            return f"has {name}() without a limit: write one, or take that out"
        for each in said:
            if not (is_bound(each) or isinstance(each, (*EXTRAS, *REMARKS))):
                name = type(each).__name__
                return f"has {name}, which no form keeps to: take that out, and raise TaskError in the function instead"
    return None


def _extras(spelled: SpelledParameter) -> str | None:
    fits = {
        Labels: (bool(spelled.choices), "has no choices"),
        Count: (spelled.hint == list[Upload], "is not list[Upload]"),
        Accept: (spelled.kind is Upload, "is no file"),
    }
    for extra in spelled.extras:
        for kind, (fit, words) in fits.items():
            if isinstance(extra, kind) and not fit:
                return f"{words}, and yet has {kind.__name__}: take that out"
            if isinstance(extra, kind) and extra is not spelled.said(kind):
                return f"has {kind.__name__} twice: leave one"
    return None


def _bounds(spelled: SpelledParameter) -> str | None:
    return wrong_bounds(spelled.kind, bool(spelled.choices), unpacked(spelled.extras))


def _limits(spelled: SpelledParameter) -> str | None:
    count, labels, accept = spelled.said(Count), spelled.said(Labels), spelled.said(Accept)
    if count and not (type(count.low) is type(count.high) is int and 1 <= count.low <= count.high):
        return f"has Count({count.low!r}, {count.high!r}): write numbers of at least 1, and the smaller one first"
    if labels and len(labels.labels) != len(spelled.choices):
        choices = ngettext("%(num)s choice", "%(num)s choices", len(spelled.choices))
        names = ngettext("%(num)s label", "%(num)s labels", len(labels.labels))
        return f"has {choices} and {names}: write one for each"
    if accept and not all(suffix.startswith(".") for suffix in accept.suffixes or ("",)):
        return f"has Accept{accept.suffixes!r}: write suffixes with their dot, like Accept('.csv')"
    return None


def _file_by_default(spelled: SpelledParameter) -> str | None:
    if spelled.kind is Upload and spelled.parameter.default is not inspect.Parameter.empty:
        return "is a file, and no file can be a default: take the default out"
    return None


CHECKS: tuple[Callable[[SpelledParameter], str | None], ...] = (
    _name,
    _type,
    _choices,
    _known,
    _extras,
    _bounds,
    _limits,
    _file_by_default,
)


def _spell(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
