"""Functions that authors write, as types: what they return is known, and their parameters are their own."""

from collections.abc import Callable
from typing import ParamSpec, TypeAlias, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
Function: TypeAlias = Callable[..., R]  # type: ignore[explicit-any]  # the parameters of a task function are its own


def taking(_: Callable[P, object]) -> Callable[[Function[R]], Callable[P, R]]:
    """Give a function the parameters of another one, for editors and type checkers: each is spelled once."""
    return lambda function: cast(Callable[P, R], function)
