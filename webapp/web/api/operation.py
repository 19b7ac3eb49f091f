"""Operations: what programs can ask for. OPERATIONS is the one table of them, filled by the decorator `operation`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import cleandoc
from typing import Any, Final

from werkzeug.wrappers import Response

from webapp.models.scopes import Scope
from webapp.web.api.parameters import PATH_PARAMETERS, Query, names_in
from webapp.web.api.problems import ProblemType
from webapp.web.api.resource import Content, Listed, Resource, Schema

Said = Resource[Any] | Listed | Content | None  # None: an answer without a body


class Access(Enum):
    """Who may ask, besides those whose token has the scope."""

    TOKEN = "with any token"  # noqa: S105 - no password
    PUBLIC = "without a token"


class Rate(Enum):
    """By which limit an operation is counted."""

    READ = "read"
    WRITE = "write"
    LAUNCH = "launch"


class Once(Enum):
    """How the work of an operation is done in one transaction with an Idempotency-Key."""

    ALL = "all that it does"
    LATER = "what it returns to be called, once it has looked at what it was given"


@dataclass(frozen=True)
class Answer:
    """What an operation answers: JSON with its status and headers. `etag` is of the content, and strong."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] | None = None
    etag: str = ""


View = Callable[..., "Answer | Response | Callable[[], Answer]"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row. `path` is as OpenAPI writes it; `allows` a scope, several of which one is enough, or who else may ask;
    and `answers` what it answers by status. `problems` are those that are particular to it. `desk` is the scope by
    which operators may ask for it of what is somebody else's, with or without the other one. A `body` may be left out
    where it `may_lack_body`, and is that of a form with files where it `takes_json` no more. `deprecated` is the day,
    as 2026-11-30, since when it is, and `sunset` the one from when on it may be gone.
    `once`: it takes an Idempotency-Key."""

    method: str
    path: str
    view: View
    allows: Scope | tuple[Scope, ...] | Access
    answers: Mapping[int, Said]
    query: tuple[Query, ...] = ()
    desk: Scope | None = None
    body: Schema | None = None
    may_lack_body: bool = False
    deprecated: str = ""
    sunset: str = ""
    takes_files: bool = False
    takes_json: bool = True
    problems: tuple[ProblemType, ...] = ()
    rate: Rate = Rate.READ
    once: Once | None = None
    media_type: str = "application/json"

    @property
    def name(self) -> str:
        """The id of it in the document, and the endpoint of its route."""
        return self.view.__name__

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """One of these is needed; none where any token does, or none is needed."""
        return (*self.own_scopes, self.desk) if self.own_scopes and self.desk else self.own_scopes

    @property
    def own_scopes(self) -> tuple[Scope, ...]:
        """The same, for what is one's own."""
        if isinstance(self.allows, Access):
            return ()
        return (self.allows,) if isinstance(self.allows, Scope) else self.allows

    @property
    def tag(self) -> str:
        """The noun that it is about: the first part of its path."""
        return self.path.split("/")[1].removesuffix(".json")

    @property
    def summary(self) -> str:
        """What it does: the first line of the docstring, without its full stop."""
        return cleandoc(self.view.__doc__ or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """The rest of the docstring."""
        return cleandoc(self.view.__doc__ or "").partition("\n")[2].strip()

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        rule = self.path
        for name in names_in(self.path):
            rule = rule.replace(f"{{{name}}}", f"<{PATH_PARAMETERS[name].converter}:{name}>")
        return rule


_operations: dict[str, Operation] = {}
OPERATIONS: Final[Mapping[str, Operation]] = _operations


def operation(
    method: str, path: str, *, allows: Scope | tuple[Scope, ...] | Access, answers: Mapping[int, Said], **more: Any
) -> Callable[[View], View]:
    """Add a function to the table. It gets the `Call` and, by name, what is in the path; what it raises as `Problem`
    is the answer. Its docstring is its documentation.

    Raises ValueError for a name or a route that is there already.
    """

    def add(view: View) -> View:
        row = Operation(method=method, path=path, view=view, allows=allows, answers=answers, **more)
        if row.name in _operations or any((each.method, each.path) == (method, path) for each in OPERATIONS.values()):
            raise ValueError(f"{row.name} or {method} {path} is an operation already")
        _operations[row.name] = row
        return view

    return add
