"""Problems: what the API says of a request that it refuses (RFC 9457). PROBLEM_TYPES is the one table of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flask import Response, g, json, request

from webapp.lib.json_types import Json

MIMETYPE: Final = "application/problem+json"
A_TIME: Final = "a time with its offset, like 2026-11-30T09:00:00Z or 2026-11-30T10:00:00+01:00"
PAGE: Final = "/developers/problems/"  # where people read about one; with its slug, that is its `type`


@dataclass(frozen=True)
class ProblemType:
    """One row: `slug` is for programs, `title` says what happened, and `advice` what to do about it."""

    slug: str
    status: int
    title: str
    advice: str

    @property
    def uri(self) -> str:
        """Its name for programs, which is the address of a page about it."""
        return PAGE + self.slug


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request. `pointer` is a JSON pointer into its body (RFC 6901), or else the
    `parameter` of its query, or the `header`."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None

    def as_json(self) -> dict[str, Json]:
        """As an item of `errors`."""
        said = {"pointer": self.pointer, "parameter": self.parameter, "header": self.header}
        return {"detail": self.detail, **{name: place for name, place in said.items() if place is not None}}


@dataclass(eq=False)
class Problem(Exception):
    """A request is refused. `more` are further members of its document, such as the state of a task."""

    type: ProblemType
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Json] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer."""
        document: dict[str, Json] = {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            "instance": request.path,
            "request_id": g.get("request_id", ""),
            **self.more,
        }
        if self.faults:
            document["errors"] = [fault.as_json() for fault in self.faults]
        return Response(json.dumps(document), self.type.status, dict(self.headers), mimetype=MIMETYPE)


BAD_REQUEST: Final = ProblemType(
    "bad-request", 400, "This isn’t a request we can read", "Correct the request; `detail` says where."
)
UNAUTHORIZED: Final = ProblemType(
    "unauthorized",
    401,
    "A token is needed",
    "Send a token that is still good, as “Authorization: Bearer errand_pat_…”. Settings → Tokens makes one.",
)
INSUFFICIENT_SCOPE: Final = ProblemType(
    "insufficient-scope", 403, "The token doesn’t allow this", "Make a token with the scope that `scope` names."
)
INSECURE: Final = ProblemType(
    "insecure",
    403,
    "This site is for HTTPS only",
    "Use https. A token that was sent over http may have been read on its way: revoke it, and make a new one.",
)
SUSPENDED: Final = ProblemType(
    "suspended", 403, "This account is suspended", "`detail` says why. The token works again once that is lifted."
)
FORBIDDEN: Final = ProblemType("forbidden", 403, "You aren’t allowed to do this", "`detail` says who is.")
NOT_FOUND: Final = ProblemType(
    "not-found",
    404,
    "There’s nothing here",
    "Check the address. What belongs to somebody else is answered as if it weren’t there.",
)
METHOD_NOT_ALLOWED: Final = ProblemType(
    "method-not-allowed", 405, "This address doesn’t take that method", "The header “Allow” names those it takes."
)
GONE: Final = ProblemType("gone", 410, "This is no longer kept", "Run the task again to make a new one.")
PRECONDITION_FAILED: Final = ProblemType(
    "precondition-failed", 412, "It has changed since you read it", "Read it again, then decide anew."
)
TOO_LARGE: Final = ProblemType("too-large", 413, "That’s too large", "Send less.")
UNSUPPORTED_TYPE: Final = ProblemType(
    "unsupported-type", 415, "We don’t read that format", "Send JSON, or a form with files where one takes files."
)
RANGE_NOT_SATISFIABLE: Final = ProblemType(
    "range-not-satisfiable", 416, "There is no such part", "Ask for a part within the size of the file."
)
MISDIRECTED: Final = ProblemType("misdirected", 421, "This site is at another address", "`detail` says where.")
ALREADY_RUNNING: Final = ProblemType(
    "already-running", 409, "A task like this is under way", "Wait for the task that `task` names, or cancel it."
)
ILLEGAL_TRANSITION: Final = ProblemType(
    "illegal-transition",
    409,
    "That doesn’t work in the task’s state",
    "`state` is the state of the task now, and `allowed` what works in it.",
)
STALE_ATTEMPT: Final = ProblemType(
    "stale-attempt",
    409,
    "The task is at another attempt",
    "`attempt` is the one that it’s at now. Read the task again, then decide anew.",
)
SECRETS_GONE: Final = ProblemType(
    "secrets-gone", 409, "The task’s secrets have been deleted", "Start a new task, with the secrets entered again."
)
CONFLICT: Final = ProblemType("conflict", 409, "Something else came first", "Read it again, then decide anew.")
IN_PROGRESS: Final = ProblemType(
    "in-progress", 409, "A request with this key is under way", "Send it again after “Retry-After”, with the same key."
)
KEY_REUSED: Final = ProblemType(
    "key-reused", 422, "The key was sent with another request", "Use a new key for each thing that is to be done."
)
INVALID: Final = ProblemType("invalid", 422, "Something in the request is wrong", "`errors` says what, and where.")
QUOTA_EXCEEDED: Final = ProblemType(
    "quota-exceeded",
    429,
    "You’ve reached a limit",
    "`quota` names it. Wait as long as “Retry-After” says, or ask for less.",
)
OVER_QUOTA: Final = ProblemType(
    "over-quota",
    422,
    "That’s more than a limit allows",
    "`quota` names it. Waiting doesn’t help; finishing or deleting something may.",
)
RATE_LIMITED: Final = ProblemType(
    "rate-limited", 429, "Too many requests", "Wait as long as “Retry-After” says; then ask less often."
)
SERVER_ERROR: Final = ProblemType(
    "server-error",
    500,
    "Something went wrong on our side",
    "We’ve logged the error. Try again later; `request_id` finds it.",
)
UNAVAILABLE: Final = ProblemType(
    "unavailable", 503, "We’ll be right back", "Send the same request again after “Retry-After”."
)

PROBLEM_TYPES: Final = (
    BAD_REQUEST,
    UNAUTHORIZED,
    INSUFFICIENT_SCOPE,
    FORBIDDEN,
    SUSPENDED,
    INSECURE,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    ALREADY_RUNNING,
    ILLEGAL_TRANSITION,
    STALE_ATTEMPT,
    SECRETS_GONE,
    CONFLICT,
    GONE,
    PRECONDITION_FAILED,
    TOO_LARGE,
    UNSUPPORTED_TYPE,
    RANGE_NOT_SATISFIABLE,
    MISDIRECTED,
    IN_PROGRESS,
    INVALID,
    KEY_REUSED,
    OVER_QUOTA,
    QUOTA_EXCEEDED,
    RATE_LIMITED,
    SERVER_ERROR,
    UNAVAILABLE,
)
BY_STATUS: Final[Mapping[int, ProblemType]] = {each.status: each for each in reversed(PROBLEM_TYPES)} | {
    403: FORBIDDEN,
    409: CONFLICT,
    429: RATE_LIMITED,
}
