"""The reference of the API, for people: what the table of operations says, with examples of requests and answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from webapp.lib.json_types import Json
from webapp.web.api import openapi
from webapp.web.api.examples import example_of
from webapp.web.api.operation import OPERATIONS, Access, Operation
from webapp.web.api.problems import PROBLEM_TYPES, ProblemType
from webapp.web.api.resource import Listed, Resource, Schema
from webapp.web.api.resources.task import TASK
from webapp.web.presenters.api_requests import form_of, request_of
from webapp.web.presenters.example_task import in_state, state_after
from webapp.web.presenters.schema_words import Member, members_of, type_words

# The order in which somebody new wants them; others follow.
_ORDER: Final = ("user", "kinds", "tasks", "artifacts", "notifications", "posts", "messages", "mailings", "tokens")
_TITLES: Final[Mapping[str, str]] = {"openapi": "OpenAPI document", "user": "Your account", "kinds": "Kinds of task"}


@dataclass(frozen=True)
class Answer:
    """What an operation answers with a status: nothing, or content, or the resources that it names with an example."""

    status: int
    is_empty: bool = False
    resource: str = ""
    is_list: bool = False
    example: str = ""


@dataclass(frozen=True)
class Entry:
    """An operation, as the reference shows it. `parameters` are those of the path, the query and the header, `members`
    those of the body; `request` is a command that can be pasted into a shell, and so is `form`, with files, if any."""

    operation: Operation
    parameters: list[Member]
    members: list[Member]
    answers: list[Answer]
    problems: list[ProblemType]
    request: str
    form: str

    @property
    def needs(self) -> str:
        """What a token has to have, or whether one is needed at all."""
        allows, desk = self.operation.allows, self.operation.desk
        if isinstance(allows, Access):
            return _ACCESS[allows]
        words = f"Scope {' or '.join(f'`{scope}`' for scope in self.operation.own_scopes)}"
        return f"{words}; for anybody’s, `{desk}` and a role at the desk" if desk else words


_OF_ALL_PROBLEMS: Final = ("detail", "instance", "request_id")
_ACCESS: Final[Mapping[Access, str]] = {Access.TOKEN: "Any token", Access.PUBLIC: "No token"}


@dataclass(frozen=True)
class Noun:
    """All operations about one thing."""

    tag: str

    @property
    def heading(self) -> str:
        """What its page is called."""
        return _TITLES.get(self.tag, self.tag.replace("-", " ").capitalize())

    @property
    def operations(self) -> list[Operation]:
        """Those of the table, in its order."""
        return [each for each in OPERATIONS.values() if each.tag == self.tag]

    @property
    def resources(self) -> dict[str, Resource[Any]]:
        """What these answer with, by the names of their schemas."""
        said = [each for operation in self.operations for each in operation.answers.values()]
        found = [each.resource if isinstance(each, Listed) else each for each in said]
        return {each.name: each for each in found if isinstance(each, Resource)}

    def entries(self, server: str) -> list[Entry]:
        """Its operations for people who use the site at that address."""
        return [entry_of(operation, server) for operation in self.operations]


def nouns() -> list[Noun]:
    """All that there are operations about."""
    tags = dict.fromkeys(operation.tag for operation in OPERATIONS.values())
    return [Noun(tag) for tag in sorted(tags, key=lambda tag: _ORDER.index(tag) if tag in _ORDER else len(_ORDER))]


def noun_of(tag: str) -> Noun | None:
    """The one that is called so."""
    return next((noun for noun in nouns() if noun.tag == tag), None)


def entry_of(operation: Operation, server: str) -> Entry:
    """What the reference shows of an operation."""
    return Entry(operation, *_said(operation.name), request_of(operation, server), form_of(operation, server))


@cache
def _said(name: str) -> tuple[list[Member], list[Member], list[Answer], list[ProblemType]]:
    """What is the same at whatever address, and takes some milliseconds to be made."""
    operation = OPERATIONS[name]
    parameters = _document()["paths"][operation.path][operation.method.lower()]["parameters"]
    return (
        [_parameter(each) for each in parameters],
        members_of(operation.body) if operation.body else [],
        [_answer(operation, status) for status in operation.answers],
        openapi.problems_of(operation),
    )


def _parameter(said: dict[str, Any]) -> Member:
    where = ", in the header" if said["in"] == "header" else ""
    words, is_required = said.get("description", ""), said.get("required", False)
    return Member(said["name"], type_words(said["schema"]) + where, words, is_required)


def _answer(operation: Operation, status: int) -> Answer:
    said = operation.answers[status]
    if not isinstance(said, Resource | Listed):
        return Answer(status, is_empty=said is None)
    shown = json.dumps(example_answer(operation, status), indent=2, ensure_ascii=False)
    inner = said.resource if isinstance(said, Listed) else said
    return Answer(status, resource=inner.name, is_list=isinstance(said, Listed), example=shown)


def example_answer(operation: Operation, status: int) -> Json:
    """What an operation may answer with a status. Raises KeyError where that is no JSON."""
    said = operation.answers[status]
    if not isinstance(said, Resource | Listed):
        raise KeyError(status)
    found = example_of(said.reference, schemas(), operation.name, str(status))
    return in_state(found, state_after(operation, status)) if said is TASK and isinstance(found, dict) else found


def members_of_resource(resource: Resource[Any]) -> list[Member]:
    """The table of what a resource has."""
    return members_of(resource.schema)


def schemas() -> dict[str, Schema]:
    """Those of the document, by name."""
    found: dict[str, Schema] = _document()["components"]["schemas"]
    return found


@cache
def _document() -> dict[str, Any]:
    return openapi.document("", "")


def problem_of(slug: str) -> ProblemType | None:
    """The problem that is called so."""
    return next((each for each in PROBLEM_TYPES if each.slug == slug), None)


def operations_with(problem: ProblemType) -> list[Operation]:
    """Those that may answer with a problem; none where any request may, whatever it is for."""
    found = [each for each in OPERATIONS.values() if problem in openapi.problems_of(each)]
    return found if len(found) < len(OPERATIONS) else []


def example_problem(problem: ProblemType) -> str:
    """A document of that type: with the members that all have, and those that its advice names."""
    members: dict[str, Schema] = schemas()["Problem"]["properties"]  # type: ignore[assignment]
    said: dict[str, Json] = {"type": problem.uri, "title": problem.title, "status": problem.status}
    for name in (*_OF_ALL_PROBLEMS, *re.findall(r"`(\w+)`", problem.advice)):
        said[name] = example_of(members[name], schemas(), "Problem", name)
    return json.dumps(said, indent=2, ensure_ascii=False)
