"""The answers in the OpenAPI document: what each carries, and all that may be refused."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from webapp.lib.json_types import Json
from webapp.web.api.operation import Operation, Said
from webapp.web.api.problems import (
    BAD_REQUEST,
    INSECURE,
    INVALID,
    MIMETYPE,
    MISDIRECTED,
    ProblemType,
)
from webapp.web.api.resource import INTEGER, STRING, UUID, Content, Listed, Resource, Schema, array

ANYWHERE: Final = (BAD_REQUEST, INSECURE, MISDIRECTED)  # which the site says of any request
_WORDS: Final = {
    "X-Request-ID": "The id of the request, which the log of the site has, too; yours, if you sent one.",
    "RateLimit-Policy": "The limit by which the request was counted: its name, how many (q) in how many seconds (w).",
    "RateLimit": "How it stands: how many are left (r), for how many seconds (t).",
    "ETag": "The version of what is answered, for If-None-Match and If-Match.",
    "Location": "The address of what was made, or where to follow it.",
    "Retry-After": "In how many seconds to ask again.",
    "Link": "The next page, as `rel=next`, if there is one.",
    "Preference-Applied": "How long the answer could have waited, as `wait=20`; left out if it didn’t wait.",
    "Accept-Ranges": "`bytes`: a part of it can be asked for by Range.",
    "Content-Range": "Which part this is, and of how many bytes.",
    "Content-Disposition": "The name of the file.",
    "WWW-Authenticate": "That a token is needed, and what is wrong with the one that was sent.",
    "Idempotent-Replayed": "`true` where this is the answer to an earlier request with the same Idempotency-Key.",
    "Deprecation": "Since when this is deprecated.",
    "Sunset": "From when on this may be gone.",
}
HEADERS: Final[dict[str, Json]] = {name: {"description": words, "schema": STRING} for name, words in _WORDS.items()}
OUR_FAULT: Final = "5XX"
ON_ALL: Final = ("X-Request-ID", "RateLimit-Policy", "RateLimit")
BY_STATUS: Final = {
    201: ("Location",),
    202: ("Location", "Retry-After"),
    206: ("Content-Range",),
    304: ("ETag",),
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    409: ("Retry-After", "Location", "Idempotent-Replayed"),
    412: ("ETag",),
    416: ("Content-Range",),
    429: ("Retry-After",),
}


def answers_of(operation: Operation) -> dict[str, Json]:
    """What it answers where all is well, by status."""
    return {str(status): _answer(operation, status, said) for status, said in operation.answers.items()}


def refusals(*problems: Iterable[ProblemType]) -> dict[str, Json]:
    """All answers by which any of these operations, of each of which these are the problems, may refuse; by name."""
    found: dict[str, Json] = {OUR_FAULT: _refusal("Something is wrong on our side.", ["Retry-After"])}
    for each in problems:
        for status, kinds in _by_status(each).items():
            words = " ".join(f"{kind.title} (`{kind.slug}`)." for kind in kinds)
            found[_name(status, kinds)] = _refusal(words, BY_STATUS.get(status, ()))
    return found


def references_to_refusals(problems: Iterable[ProblemType]) -> dict[str, Json]:
    """What refers to those of one operation, by status. Most operations have most of them in common."""
    names = {str(status): _name(status, kinds) for status, kinds in _by_status(problems).items()} | {"5XX": OUR_FAULT}
    return {status: {"$ref": f"#/components/responses/{name}"} for status, name in names.items()}


def schemas_of(said: Iterable[Said]) -> dict[str, Schema]:
    """The schemas of resources and their pages, by name."""
    found: dict[str, Schema] = {"Problem": PROBLEM}
    for each in said:
        if each is None or isinstance(each, Content):
            continue
        parts: list[Resource[Any] | Listed] = [each, each.resource] if isinstance(each, Listed) else [each]
        found |= {part.name: part.schema for part in parts}
    return found


def _answer(operation: Operation, status: int, said: Said) -> dict[str, Json]:
    names = [*BY_STATUS.get(status, ())] if said or status == 304 else []
    meant = operation.answers.get(200) if status == 304 else said  # which comes with the headers of what it stands for
    names += meant.headers if isinstance(meant, Resource) else []
    names += ["ETag"] if 304 in operation.answers and status < 300 else []
    names += ["Accept-Ranges", "Content-Disposition"] if 206 in operation.answers else []
    names += ["Preference-Applied"] if operation.waits and status in (200, 304) else []
    names += ["Idempotent-Replayed"] if operation.once else []
    names += ["Link"] if isinstance(said, Listed) else []
    names += ["Deprecation"] if operation.deprecated else []
    names += ["Sunset"] if operation.sunset else []
    answer: dict[str, Json] = {"description": HTTPStatus(status).phrase, "headers": _headers(names)}
    if isinstance(said, Content):
        answer["content"] = {said.media_type: {}}
    elif said:
        answer["content"] = {operation.media_type: {"schema": said.reference}}
    return answer


def _by_status(problems: Iterable[ProblemType]) -> dict[int, list[ProblemType]]:
    found: dict[int, list[ProblemType]] = {}
    for each in sorted(dict.fromkeys([*problems, *ANYWHERE]), key=lambda each: (each.status, each.slug)):
        found.setdefault(each.status, []).append(each)
    return found


def _name(status: int, kinds: Iterable[ProblemType]) -> str:
    return ".".join([str(status), *(each.slug for each in kinds)])


def _refusal(words: str, headers: Iterable[str]) -> dict[str, Json]:
    content: Json = {MIMETYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": words, "headers": _headers(headers), "content": content}


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ON_ALL, *names)}


_PLACES: Final[dict[str, Json]] = {
    "pointer": {"description": "Where, in the body, as a JSON pointer (RFC 6901).", **STRING},
    "parameter": {"description": "Or in which parameter of the query.", **STRING},
    "header": {"description": "Or in which header.", **STRING},
}
_FAULT: Final[Schema] = {
    "type": "object",
    "properties": {"detail": STRING, **_PLACES},
    "required": ["detail"],
}
PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": {
            "description": "Its kind: the address of a page about it.",
            "type": "string",
            "format": "uri-reference",
        },
        "title": {"description": "The kind in words.", **STRING},
        "status": {"description": "The status of the answer.", **INTEGER},
        "detail": {"description": "What is wrong with this very request, in words.", **STRING},
        "instance": {"description": "The path of the request.", **STRING},
        "request_id": {"description": "By which the log finds the request.", **STRING},
        "errors": {"description": "What is wrong, place by place.", "type": "array", "items": _FAULT},
        "scope": {"description": "The scope that the token lacks; one of these, if there are several.", **STRING},
        "task": {"description": "The id of the task that is in the way.", **UUID},
        "state": {"description": "The state of the task.", **STRING},
        "attempt": {"description": "The number of its latest attempt.", **INTEGER},
        "allowed": {"description": "What works on the task now, as its `actions`.", **array(STRING)},
        "quota": {"description": "The name of the limit.", **STRING},
        "most": {"description": "How many the limit allows.", **INTEGER},
    },
    "required": ["type", "title", "status", "detail"],
    "examples": [
        {
            "type": INVALID.uri,
            "title": INVALID.title,
            "status": INVALID.status,
            "detail": "Something in the body isn’t right.",
            "instance": "/api/v1/tasks",
            "request_id": "0f8b6a2c1d7e4f35",
            "errors": [{"detail": "This is required.", "pointer": "/kind"}],
        }
    ],
}
