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
    """What of an operation is done in one transaction with the Idempotency-Key of its request."""

    ALL = "all of it"
    LATER = "the function that it returns, so that checking the request holds no transaction"


@dataclass(frozen=True)
class Answer:
    """What an operation answers: JSON, if any, with its status and headers. `etag` is of the content, and strong."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] | None = None
    etag: str = ""


View = Callable[..., "Answer | Response | Callable[[], Answer]"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the table.

    | field | what it says |
    |---|---|
    | method, path | where it is, as OpenAPI writes it: "/tasks/{task_id}" |
    | view | the function that does it; its name is the operation's, and its docstring the documentation |
    | allows | the scope that a token needs, several of which one is enough, or who may ask without |
    | desk | the scope by which operators may ask for it of anybody's task, without that of `allows` |
    | answers | what it answers, by status |
    | problems | why it may refuse, besides what `problems_of` (`openapi.py`) knows of any such operation |
    | query | the parameters of its query |
    | body | the schema of its body; None if it reads none |
    | may_lack_body | whether the body may be left out |
    | takes_json, takes_files | as what the body may come: JSON, a form with files, or either |
    | media_type | what its answers are, where that is not JSON |
    | rate | the limit by which its requests are counted |
    | once | whether it takes an Idempotency-Key, and what then happens once |
    | waits | whether it can wait, as `Prefer: wait` asks |
    | deprecated, sunset | days, as 2026-11-30: since when it is deprecated, and from when on it may be gone |
    """

    method: str
    path: str
    view: View
    allows: Scope | tuple[Scope, ...] | Access
    answers: Mapping[int, Said]
    query: tuple[Query, ...] = ()
    desk: Scope | None = None
    problems: tuple[ProblemType, ...] = ()
    body: Schema | None = None
    may_lack_body: bool = False
    takes_json: bool = True
    takes_files: bool = False
    media_type: str = "application/json"
    rate: Rate = Rate.READ
    once: Once | None = None
    waits: bool = False
    deprecated: str = ""
    sunset: str = ""

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
