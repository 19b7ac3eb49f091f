"""Parameters of operations: what stands in a path, and what a query may say."""

import re
import uuid as uuids
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from webapp.lib.i18n import number
from webapp.web.api.problems import A_TIME, INVALID, Fault, Problem
from webapp.web.api.resource import INTEGER, STRING, TIME, UUID, Schema
from webapp.web.request_guard import MAX_ID


@dataclass(frozen=True)
class PathParameter:
    """What a part of a path may be: Flask's converter of it, its schema, and what it means."""

    converter: str
    schema: Schema
    words: str


_ID: Final[Schema] = INTEGER | {"minimum": 0, "maximum": MAX_ID}
PATH_PARAMETERS: Final[Mapping[str, PathParameter]] = {
    "task_id": PathParameter("uuid", UUID, "The id of a task."),
    "artifact_id": PathParameter("uuid", UUID, "The id of an artifact."),
    "post_id": PathParameter("int", _ID, "The id of a post."),
    "message_id": PathParameter("int", _ID, "The id of a message."),
    "mailing_id": PathParameter("int", _ID, "The id of a mailing."),
    "attachment_id": PathParameter("int", _ID, "The id of an attachment."),
    "name": PathParameter("string", STRING, "The name of a kind of task, such as count_words."),
    "username": PathParameter("string", STRING, "Somebody’s user name."),
}
AS_PLUS: Final = " In an address, + is written as %2B."
_NAME: Final = re.compile(r"\{(\w+)\}")


def names_in(path: str) -> list[str]:
    """The names of what stands in a path."""
    return _NAME.findall(path)


class WrongText(ValueError):
    """A text that a query may not say, in words."""


def wrong_query(*faults: Fault) -> Problem:
    """What is said of a query with these faults, each of a parameter."""
    return Problem(INVALID, "Something in the query isn’t right.", faults)


@dataclass(frozen=True)
class Query:
    """A parameter of a query. `parse` makes a value of its text, and raises WrongText for one that it may not be."""

    name: str
    schema: Schema
    words: str
    parse: Callable[[str], Any] = str
    default: Any = None


def read_query(parameters: tuple[Query, ...], args: "MultiDict[str, str]") -> dict[str, Any]:
    """The values of a query by name. Raises Problem (422) for what it may not say, and for a name that is unknown."""
    known = {parameter.name: parameter for parameter in parameters}
    faults, found = [], {name: parameter.default for name, parameter in known.items()}
    for name, texts in args.lists():
        if name not in known:
            faults.append(Fault("There is no such parameter.", parameter=name[:100]))
        elif len(texts) > 1:
            faults.append(Fault("Give it once.", parameter=name))
        else:
            try:
                found[name] = known[name].parse(texts[0])
            except WrongText as error:
                faults.append(Fault(str(error), parameter=name))
    if faults:
        raise wrong_query(*faults)
    return found


def one_of(name: str, values: Mapping[str, Any], words: str) -> Query:
    """A parameter that is one of these texts, each of which stands for a value."""

    def parse(text: str) -> Any:
        if text not in values:
            raise WrongText(f"Use one of these: {', '.join(values)}.")
        return values[text]

    return Query(name, STRING | {"enum": list(values)}, words, parse)


def whole_number(name: str, least: int, most: int, words: str, default: int | None = None) -> Query:
    """A parameter that is a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
            return int(text)
        raise WrongText(f"Use a whole number from {number(least)} to {number(most)}.")

    schema = INTEGER | {"minimum": least, "maximum": most} | ({} if default is None else {"default": default})
    return Query(name, schema, words, parse, default)


def moment(name: str, words: str) -> Query:
    """A parameter that is a moment in RFC 3339, with its offset; as naive UTC."""
    return Query(name, TIME, words, parse_moment)


def parse_moment(text: str) -> datetime:
    """A moment with an offset, as naive UTC. Raises WrongText."""
    try:
        found = datetime.fromisoformat(text) if "T" in text.upper() else None
        if found and found.tzinfo:
            return found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        pass  # said below
    raise WrongText(f"Use {A_TIME}.{AS_PLUS if ' ' in text else ''}")


def uuid(name: str, words: str) -> Query:
    """A parameter that is the id of a task or an artifact."""

    def parse(said: str) -> uuids.UUID:
        if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", said):
            return uuids.UUID(said)
        raise WrongText("Use an id like 0b8e2f0c-5d0f-4c9a-9a57-3e1f7d2c6a41.")

    return Query(name, UUID, words, parse)


def some_of(name: str, values: Mapping[str, Iterable[str]], schema: Schema, words: str) -> Query:
    """A parameter that is one or more of these texts with commas between. Each of them stands for some values; it is
    all of these, each once, in one order."""

    def parse(said: str) -> tuple[str, ...]:
        found = said.split(",")
        if any(each not in values for each in found):
            raise WrongText(f"Use one or more of these, with commas between: {', '.join(values)}.")
        return tuple(sorted({value for each in found for value in values[each]}))

    return Query(name, schema, words, parse)


def text(name: str, longest: int, words: str) -> Query:
    """A parameter that is any text of at most so many characters."""

    def parse(said: str) -> str:
        if len(said) > longest:
            raise WrongText(f"Use at most {number(longest)} characters.")
        return said

    return Query(name, STRING | {"maxLength": longest}, words, parse)
