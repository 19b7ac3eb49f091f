"""The parameters in the OpenAPI document: what stands in the path, the query and the headers of a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from webapp.lib.json_types import Json
from webapp.models.idempotency_key import KEEP
from webapp.web.api.idempotency import LONGEST
from webapp.web.api.operation import Operation
from webapp.web.api.parameters import PATH_PARAMETERS, names_in
from webapp.web.api.problems import PRECONDITION_FAILED
from webapp.web.api.resource import STRING, Schema
from webapp.web.api.waiting import MOST


@dataclass(frozen=True)
class RequestHeader:
    """A header that some operations read, and by what of their row one knows them."""

    name: str
    is_read_by: Callable[[Operation], object]
    words: str
    schema: Schema


REQUEST_HEADERS: Final = (
    RequestHeader(
        "Prefer",
        lambda operation: operation.waits,
        f"`wait=N`: the answer may come up to N seconds later, {MOST} at most.",
        STRING | {"examples": [f"wait={MOST}"]},
    ),
    RequestHeader(
        "If-None-Match",
        lambda operation: 304 in operation.answers,
        "An ETag; while nothing has changed since, the answer is an empty 304.",
        STRING,
    ),
    RequestHeader(
        "If-Match",
        lambda operation: PRECONDITION_FAILED in operation.problems,
        "An ETag; if something has changed since, nothing is done, and the answer is 412.",
        STRING,
    ),
    RequestHeader(
        "Range",
        lambda operation: 206 in operation.answers,
        "Which bytes, as `bytes=1000-`; answered with 206. Several parts at once are answered with all.",
        STRING | {"examples": ["bytes=0-99"]},
    ),
    RequestHeader(
        "If-Range",
        lambda operation: 206 in operation.answers,
        "An ETag: if there is another version by now, all of that, whatever `Range` says.",
        STRING,
    ),
    RequestHeader(
        "Idempotency-Key",
        lambda operation: operation.once,
        "A text of your own without spaces, such as a UUID, new for each thing that is to be done. For "
        f"{KEEP.days * 24} hours, the same request with the same key is carried out once, and answered alike; or, if "
        "the answer has more than 32 kB, by 409, where “Location” says where the result is.",
        STRING | {"minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
    ),
)


def parameters_of(operation: Operation) -> list[Json]:
    """All that an operation reads besides its body."""
    path = [(name, PATH_PARAMETERS[name]) for name in names_in(operation.path)]
    in_path = [_parameter("path", name, each.words, each.schema) | {"required": True} for name, each in path]
    in_query = [_parameter("query", each.name, each.words, each.schema) for each in operation.query]
    read = [header for header in REQUEST_HEADERS if header.is_read_by(operation)]
    return [*in_path, *in_query, *(_parameter("header", each.name, each.words, each.schema) for each in read)]


def _parameter(where: str, name: str, words: str, schema: Schema) -> dict[str, Json]:
    return {"name": name, "in": where, "description": words, "schema": schema}
