"""A parameter as its author spelled it, taken apart: what is one value of it, and what `Annotated` says of that."""

import inspect
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from tasks.engine.parameters.conversions import Value
from tasks.engine.parameters.parameter_type import ParameterType
from tasks.engine.parameters.types import type_of
from tasks.engine.uploads import Upload

T = TypeVar("T")
Spelled: TypeAlias = Any  # type: ignore[explicit-any]  # an annotation: a type, or what `typing` makes of some
YES_AND_NO = (True, False)


@dataclass(frozen=True)
class SpelledParameter:
    """A parameter of a task function as it is spelled.

    `hint` is its type without what Annotated adds, `item` that of one value, without `| None` and `list[…]`. `extras`
    is what Annotated says of the whole, `item_extras` what it says within a list.
    """

    parameter: inspect.Parameter
    hint: object
    item: object
    extras: tuple[object, ...]
    item_extras: tuple[object, ...]
    optional: bool
    is_list: bool

    def said(self, kind: type[T]) -> T | None:
        """What Annotated says of this kind, or None."""
        return next((extra for extra in (*self.extras, *self.item_extras) if isinstance(extra, kind)), None)

    @property
    def literals(self) -> tuple[Value, ...]:
        """The values of its Literal; empty for any other type."""
        return get_args(self.item) if get_origin(self.item) is Literal else ()

    @property
    def choices(self) -> tuple[Value, ...]:
        """The values that there are; empty for a type that has others."""
        if self.is_enum:
            return tuple(self.kind)
        return YES_AND_NO if self.item is bool and self.optional else self.literals

    @property
    def is_enum(self) -> bool:
        """Whether it is a member of an Enum."""
        return isinstance(self.item, type) and issubclass(self.item, Enum)

    @property
    def kind(self) -> Spelled:
        """The type of one value."""
        return type(self.literals[0]) if self.literals else self.item

    @property
    def type(self) -> ParameterType | None:
        """The row of that type; None for one that no parameter can have."""
        return type_of(self.kind)

    @property
    def is_file(self) -> bool:
        """Whether it is one file or several."""
        return self.kind is Upload

    @property
    def has_default(self) -> bool:
        """Whether it may be left out."""
        return self.parameter.default is not inspect.Parameter.empty


def spell(parameter: inspect.Parameter, hint: object) -> SpelledParameter:
    """Take a parameter apart. Raises nothing: `checks` says what is wrong with it."""
    whole, extras = _bare(hint)
    core, optional = whole, False
    if (
        get_origin(whole) in {Union, UnionType}
        and len(others := [a for a in get_args(whole) if a is not NoneType]) == 1
    ):
        core, within = _bare(others[0])
        extras, optional = (*extras, *within), True
    is_list = get_origin(core) is list
    item, item_extras = _bare(get_args(core)[0]) if is_list else (core, ())
    return SpelledParameter(parameter, whole, item, extras, item_extras, optional, is_list)


def _bare(hint: object) -> tuple[object, tuple[object, ...]]:
    """A type without its Annotated, and what that says."""
    if get_origin(hint) is not Annotated:
        return hint, ()
    bare, *extras = get_args(hint)
    return bare, tuple(extras)
