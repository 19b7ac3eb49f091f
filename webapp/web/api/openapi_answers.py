"""The answers in the OpenAPI document: what each carries, and all that may be refused."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from webapp.lib.json_types import Json
from webapp.web.api.operation import Operation, Said
from webapp.web.api.problems import (
    BAD_REQUEST,
    INSECURE,
    MIMETYPE,
    MISDIRECTED,
    PRECONDITION_FAILED,
    ProblemType,
)
from webapp.web.api.resource import INTEGER, STRING, Content, Listed, Resource, Schema

ANYWHERE: Final = (BAD_REQUEST, INSECURE, MISDIRECTED)  # which the site says of any request
_WORDS: Final = {
    "X-Request-ID": "The id of the request, which the log of the site has, too; yours, if you sent one.",
    "RateLimit-Policy": "The limit by which the request was counted: its name, how many (q) in how many seconds (w).",
    "RateLimit": "How it stands: how many are left (r), for how many seconds (t).",
    "ETag": "The version of what is answered, for If-None-Match and If-Match.",
    "Location": "The address of what was made.",
    "Retry-After": "In how many seconds to ask again.",
    "Link": "The next page, as `rel=next`, if there is one.",
    "WWW-Authenticate": "That a token is needed, and what is wrong with the one that was sent.",
    "Idempotent-Replayed": "`true` where this is the answer to an earlier request with the same Idempotency-Key.",
    "Allow": "The methods that work here.",
    "Deprecation": "Since when this is deprecated.",
    "Sunset": "From when on this may be gone.",
}
HEADERS: Final[dict[str, Json]] = {name: {"description": words, "schema": STRING} for name, words in _WORDS.items()}
ON_ALL: Final = ("X-Request-ID", "RateLimit-Policy", "RateLimit")
BY_STATUS: Final = {
    201: ("Location",),
    304: ("ETag",),
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    429: ("Retry-After",),
}


def answers_of(operation: Operation) -> dict[str, Json]:
    """What it answers where all is well, by status."""
    return {str(status): _answer(operation, status, said) for status, said in operation.answers.items()}


def refusals(problems: Iterable[ProblemType]) -> dict[str, Json]:
    """By status, with all that may be the reason, in words."""
    found: dict[int, list[str]] = {}
    for each in sorted(dict.fromkeys([*problems, *ANYWHERE]), key=lambda each: (each.status, each.slug)):
        found.setdefault(each.status, []).append(f"{each.title} (`{each.slug}`).")
    answers: dict[str, Json] = {
        str(status): _refusal(" ".join(words), BY_STATUS.get(status, ())) for status, words in found.items()
    }
    return {**answers, "5XX": _refusal("Something is wrong on our side.", ["Retry-After"])}


def has_etag(operation: Operation) -> bool:
    """Whether what it answers has a version."""
    return 304 in operation.answers or PRECONDITION_FAILED in operation.problems


def header_parameters(operation: Operation) -> list[Json]:
    """The headers by which a request can be conditional, or be sent again."""
    found = {
        "If-None-Match": 304 in operation.answers,
        "If-Match": PRECONDITION_FAILED in operation.problems,
        "Idempotency-Key": operation.once,
    }
    words = {
        "Idempotency-Key": "A text of your own of up to 255 characters, such as a UUID, new for each thing that is to "
        "be done. For a day, the same request with the same key is carried out once, and answered alike.",
        "If-None-Match": "An ETag; while nothing has changed since, the answer is an empty 304.",
        "If-Match": "An ETag; if something has changed since, nothing is done, and the answer is 412.",
    }
    return [
        {"name": name, "in": "header", "description": words[name], "schema": STRING}
        for name, is_read in found.items()
        if is_read
    ]


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
    names = [*BY_STATUS.get(status, ())]
    names += ["ETag"] if has_etag(operation) and status == 200 else []
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


def _refusal(words: str, headers: Iterable[str]) -> dict[str, Json]:
    content: Json = {MIMETYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": words, "headers": _headers(headers), "content": content}


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ON_ALL, *names)}


_FAULT: Final[Schema] = {
    "type": "object",
    "properties": {"detail": STRING, "pointer": STRING, "parameter": STRING, "header": STRING},
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
    },
    "required": ["type", "title", "status", "detail"],
}
