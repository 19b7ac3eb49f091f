"""What can be wrong with a parameter of a task function, each in one line that says what to write instead."""

import inspect
from collections.abc import Callable
from enum import Flag
from typing import get_args

from annotated_types import DocInfo

from tasks.engine.function_checks import refuses
from tasks.engine.parameters.annotations import Choice, Hint, Label, Labels, Multiline, Placeholder
from tasks.engine.parameters.bounds import is_bound, unpacked, wrong_bounds
from tasks.engine.parameters.spelling import SpelledParameter
from tasks.engine.parameters.types import TYPES
from tasks.engine.uploads import Accept, Count
from webapp.lib.i18n import ngettext

RESERVED = {"self", "user", "run_at"}  # what `launch` itself takes
TEXTS: tuple[type[Label | Hint | Placeholder], ...] = (Label, Hint, Placeholder)
EXTRAS = (Labels, Count, Accept, Choice, Multiline, *TEXTS)
REMARKS = (str, DocInfo)  # what Annotated may say besides, for readers
TAKES = f"write {', '.join(row.name for row in TYPES)}, a Literal[…], a list of one, or one with | None"


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
    if spelled.hint is None:
        return f"has no type: {TAKES}"
    if spelled.type is None:
        return f"has the type {_spell(spelled.hint)}, which no form field can ask for: {TAKES}"
    return None


def _list(spelled: SpelledParameter) -> str | None:
    if not spelled.is_list:
        return None
    if spelled.optional:
        return "is a list or None, and an empty list says the same: take the None out"
    if spelled.type and not spelled.type.in_list:
        return f"is a list of {spelled.type}, which no form field can ask for: write several parameters"
    if spelled.is_file and not spelled.said(Count):
        return "is a list of files without an end: write Annotated[list[Upload], Count(1, 50)]"
    if any(map(is_bound, unpacked(spelled.extras))) and not spelled.is_file:
        return "has a limit for a list: write Count(…) for how many, or list[Annotated[…]] for the limit of each"
    return None


def _choices(spelled: SpelledParameter) -> str | None:
    if len(kinds := {type(choice).__name__ for choice in spelled.literals}) > 1:
        return f"has choices of several types ({', '.join(sorted(kinds))}): write all of one"
    if spelled.literals and spelled.kind is bool:
        return "has the choices True and False: write bool"
    if not spelled.is_enum:
        return None
    if issubclass(spelled.kind, Flag):
        return f"is the Flag {spelled.kind.__name__}: write list[…] of an Enum"
    if not spelled.choices:
        return f"is the Enum {spelled.kind.__name__}, which has no members: write some"
    if {type(member.value) for member in spelled.choices} not in ({str}, {int}):
        return f"is the Enum {spelled.kind.__name__}, whose values are not all texts or all whole numbers: write those"
    return None


def _known(spelled: SpelledParameter) -> str | None:
    for extra in (*spelled.extras, *spelled.item_extras):
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
    is_one = not spelled.is_list and not spelled.choices
    is_typed = not spelled.choices and not spelled.said(Choice) and spelled.kind in _TYPED
    fits = {
        Labels: (bool(spelled.choices), "has no choices"),
        Count: (spelled.is_list, "is not list[Upload] or another list"),
        Accept: (spelled.is_file, "is no file"),
        Choice: (is_one and spelled.kind in {int, str}, "is neither int nor str"),
        Multiline: (is_one and spelled.kind is str and not spelled.said(Choice), "is no text of one's own"),
        Placeholder: (is_typed, "is nothing that is typed"),
    }
    for extra in (*spelled.extras, *spelled.item_extras):
        for kind, (fit, words) in fits.items():
            if isinstance(extra, kind) and not fit:
                return f"{words}, and yet has {kind.__name__}: take that out"
        for kind in EXTRAS:
            if isinstance(extra, kind) and extra is not spelled.said(kind):
                return f"has {kind.__name__} twice: leave one"
    return None


def _bounds(spelled: SpelledParameter) -> str | None:
    extras = spelled.item_extras if spelled.is_list and not spelled.is_file else spelled.extras
    has_choices = bool(spelled.choices or spelled.said(Choice))
    return wrong_bounds(spelled.kind, "" if has_choices or not spelled.type else spelled.type.limits, unpacked(extras))


def _limits(spelled: SpelledParameter) -> str | None:
    count, labels, accept = spelled.said(Count), spelled.said(Labels), spelled.said(Accept)
    least = 1 if spelled.is_file else 0
    if count and not (type(count.low) is type(count.high) is int and least <= count.low <= count.high >= 1):
        return f"has Count({count.low!r}, {count.high!r}): write numbers of at least 1, and the smaller one first"
    if labels and len(labels.labels) != len(spelled.choices):
        choices = ngettext("%(num)s choice", "%(num)s choices", len(spelled.choices))
        names = ngettext("%(num)s label", "%(num)s labels", len(labels.labels))
        return f"has {choices} and {names}: write one for each"
    if accept and not all(suffix.startswith(".") for suffix in accept.suffixes or ("",)):
        return f"has Accept{accept.suffixes!r}: write suffixes with their dot, like Accept('.csv')"
    return None


def _words(spelled: SpelledParameter) -> str | None:
    for kind in TEXTS:
        said: Label | Hint | Placeholder | None = spelled.said(kind)
        if said and (not isinstance(said.text, str) or not said.text.strip()):
            return f"has {type(said).__name__}({said.text!r}): write a text"
    choice = spelled.said(Choice)
    if choice and (problem := refuses(choice.options, 1)):
        return f"has a Choice whose function {problem}: write def options(user), which returns (value, label) of each"
    if choice and not (type(choice.most) is int and choice.most >= 1):
        return f"has a Choice with most={choice.most!r}: write a whole number of at least 1"
    return None


def _default(spelled: SpelledParameter) -> str | None:
    default = spelled.parameter.default
    if not spelled.has_default or (default is None and spelled.optional):
        return None
    name = _spell(spelled.hint)
    if default is None and not spelled.is_list:
        return f"has the default None, which is no {name}: write {name} | None = None"
    what = "one of the owner's own things" if spelled.said(Choice) else "a secret or a file"
    if spelled.said(Choice) or (spelled.type and spelled.type.again):
        return f"is {what}, and none of these can be a default: take the default out, or write {name} | None = None"
    return None


CHECKS: tuple[Callable[[SpelledParameter], str | None], ...] = (
    _name,
    _type,
    _list,
    _choices,
    _known,
    _extras,
    _bounds,
    _limits,
    _words,
    _default,
)
_TYPED = {row.python for row in TYPES if row.limits}


def _spell(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
